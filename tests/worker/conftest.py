from pathlib import Path

import pytest

from forensics.worker import client
from tests.case.making import make_case


@pytest.fixture
def case(tmp_path, monkeypatch, tmp_path_factory):
    """A case whose worker knows the toy jobs; the worker is ended afterwards."""
    runtime = tmp_path_factory.mktemp("rt")
    runtime.chmod(0o700)
    monkeypatch.setenv("FORENSICS_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("FORENSICS_JOBS", "tests.worker.toy_jobs")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    made = make_case(tmp_path)
    yield made
    client.stop_worker(made)

import tempfile
from pathlib import Path

import pytest

from forensics.worker import client
from tests.case.making import make_case


@pytest.fixture
def runtime():
    """A folder for sockets; those of pytest can be too deep for one."""
    with tempfile.TemporaryDirectory(prefix="tl-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def case(tmp_path, monkeypatch, runtime):
    """A case whose worker knows the toy jobs; the worker is ended afterwards."""
    monkeypatch.setenv("FORENSICS_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("FORENSICS_JOBS", "tests.worker.toy_jobs")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    made = make_case(tmp_path)
    yield made
    client.stop_worker(made)

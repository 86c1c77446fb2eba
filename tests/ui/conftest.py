"""Fixtures of the UI tests: a case with a drawn scan, and a server for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forensics.case import Case
from forensics.runs import Run
from forensics.ui.context import Context, open_context
from forensics.ui.evidence import Evidence
from tests.ui import synthetic
from tests.ui.serving import Server

COUNT = 240


@dataclass(frozen=True)
class Scanned:
    """A case with one finished scan, and where a server finds it."""

    case: Case
    run: Run
    context: Context
    name: str

    @property
    def path(self) -> str:
        return f"/api/cases/{self.name}/runs/{self.run.id}"


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    root = tmp_path_factory.mktemp("cases")
    case = synthetic.make_case(root / "drawn", COUNT)
    run = synthetic.scan(case)
    context = open_context(root)
    return Scanned(case, run, context, context.workspace.enter(case.folder))


@pytest.fixture(scope="session")
def evidence(scanned: Scanned) -> Evidence:
    return scanned.context.evidence(scanned.name, scanned.run.id)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server for all browser tests: starting one takes seconds."""
    folder = tmp_path_factory.mktemp("browser")
    running = Server(folder / "cases", folder / "server.log")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def workspace_root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "cases"

"""The report as a download of the app."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.ui.problems import explain_errors
from forensics.ui.routes.report import report_routes
from tests.ui.conftest import Scanned


@pytest.fixture(scope="module")
def client(scanned: Scanned) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(report_routes(scanned.context))
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def test_page_and_twin_are_saved_and_never_opened_here(
    client: TestClient, scanned: Scanned
) -> None:
    page = client.get(f"/api/cases/{scanned.name}/report.html")
    assert page.headers["content-disposition"] == 'attachment; filename="report.html"'
    assert scanned.run.id in page.text and "Ground truth was not read" in page.text
    twin = json.loads(client.get(f"/api/cases/{scanned.name}/report.json").content)
    assert twin["verdicts"][0]["run"] == scanned.run.id and twin["truth"] is None
    assert (scanned.case.folder / "exports" / "report.html").is_file()
    assert client.get(f"/api/cases/{scanned.name}/report.pdf").status_code == 400


def test_revealing_is_asked_for_and_written_down(client: TestClient, scanned: Scanned) -> None:
    before = len(scanned.case.journal.entries("reveal"))
    page = client.get(f"/api/cases/{scanned.name}/report.html?reveal=true")
    assert "Ground truth is revealed" in page.text
    assert len(scanned.case.journal.entries("reveal")) == before + 1

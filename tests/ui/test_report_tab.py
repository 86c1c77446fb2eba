"""The Report tab: its routes, and a walk through it in a real browser with hostile texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.case import Case
from forensics.runs import execute
from forensics.ui.context import open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes.report import report_routes
from forensics.ui.workspace import Workspace
from tests.report.cases import HOSTILE, MARK
from tests.report.test_hidden import self_test_result
from tests.ui import synthetic
from tests.ui.serving import CHROMIUM, Server, Watched, chromium

FITS = "(node) => node.scrollWidth <= node.clientWidth"


def make_case(folder: Path) -> Case:
    case = synthetic.make_case(folder, 60, title=HOSTILE.title)
    synthetic.scan(case)
    run = case.new_run("self-test", {})
    execute(run, lambda _context: self_test_result(f"planted {HOSTILE.answer}"))
    return case


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    root = tmp_path_factory.mktemp("report-tab")
    context = open_context(root)
    name = context.workspace.enter(make_case(root / "case").folder)
    app = FastAPI()
    app.include_router(report_routes(context))
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as found:
        yield found, f"/api/cases/{name}/report"


def test_the_outline_tells_what_is_missing_and_the_self_test(
    client: tuple[TestClient, str],
) -> None:
    ask, path = client
    view = ask.get(path).json()
    assert view["headline"] == "Inconclusive" and view["finished"] == 2
    missing = {step["key"]: step["tab"] for step in view["steps"] if not step["done"]}
    assert missing == {"transplant": "attention", "review": "review", "repair": "repair",
                       "sign": "report"}  # fmt: skip
    tested = view["self_test"]
    assert tested["outcome"] == "missed" and tested["detections"][0]["recall"]["value"] == 0.5
    page = ask.get(f"{path}/page").json()["page"]
    assert page.startswith("<!doctype html>") and "<script" not in page.replace("<script type", "")


def test_only_findings_that_were_read_are_signed(client: tuple[TestClient, str]) -> None:
    ask, path = client
    stale = {"by": "A", "facts_sha256": "0" * 64}
    answer = ask.post(f"{path}/sign", json=stale)
    assert answer.status_code == 400 and "changed while you read" in answer.json()["error"]
    view = ask.get(path).json()
    assert view["signatures"] == []
    fresh = {"by": HOSTILE.note.encode("utf-8", "ignore").decode(), "statement": HOSTILE.answer,
             "facts_sha256": view["facts_sha256"]}  # fmt: skip
    signed = ask.post(f"{path}/sign", json=fresh).json()
    assert signed["signatures"][0]["holds"] and signed["signatures"][0]["statement"]
    assert next(step for step in signed["steps"] if step["key"] == "sign")["done"]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_walk_from_what_is_missing_to_a_signed_report(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("playwright")
    case = make_case(tmp_path / "case")
    name = Workspace(server.cases).enter(case.folder)
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1024, "height": 900}))
        page = watched.page
        page.goto(f"{server.url}/?case={name}&tab=report")
        page.wait_for_selector("#report .tl-root[data-ready]")
        assert page.locator("#tl-steps li[data-done=false]").count() == 4
        assert page.eval_on_selector("#report .tl-root", FITS)
        read_preview(page)
        sign_with_keys(page)
        page.wait_for_selector("#tl-signatures li")
        assert "nothing changed since" in page.inner_text("#tl-signatures")
        assert HOSTILE.answer[:20] in page.inner_text("#tl-signatures blockquote")
        assert page.locator("#report img, #report svg[onload]").count() == 0
        assert page.evaluate(f"window.{MARK}") is None
        page.click("#tl-steps li[data-step=review] button")
        page.wait_for_function("window.triggerlens.state.tab === 'review'")
        page.goto("about:blank")
        assert watched.problems == [] and watched.foreign() == []
    assert len(case.journal.entries("sign")) == 1


def read_preview(page: Any) -> None:
    """The frame shows the report, belongs to no origin and runs nothing."""
    frame = page.frame_locator("#tl-report-frame")
    assert frame.locator("h1").inner_text().startswith("</title>")
    assert page.get_attribute("#tl-report-frame", "sandbox") == ""
    assert frame.locator("a").count() == 0, "a link would lead to the page around the frame"
    assert "truth is unknown" in frame.locator("main").inner_text()


def sign_with_keys(page: Any) -> None:
    """From the checklist to a signature without a mouse."""
    page.focus("#tl-steps li[data-step=sign] button")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "tl-sign-name"
    page.keyboard.type("A. Analyst")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(HOSTILE.answer)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

"""From a user's own model and data to a scanned sample, by clicks alone, for two other families."""

from pathlib import Path
from typing import Any

import pytest

from forensics.ui.workspace import Workspace
from forensics.worker import client
from tests.tiny_families import save_family
from tests.ui.serving import CHROMIUM, Server, Watched, chromium
from tests.ui.test_families import ROWS, write_set

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def make_case(page: Any, server: Server, model: Path, data: Path) -> None:
    page.goto(server.url)
    page.get_by_text("Your own model and data").click()
    page.fill("#own-model input, #own-model textarea", str(model))
    page.fill("#own-data input, #own-data textarea", f"llava:{data}")
    page.click("#own-make")
    page.wait_for_selector("#case-summary .tl-preview img", timeout=180_000)


@pytest.mark.parametrize("family", ["qwen2_5_vl", "internvl"])
def test_a_case_is_made_scanned_and_looked_at(family: str, server: Server, tmp_path: Path) -> None:
    model, data = save_family(family, tmp_path / "model"), write_set(tmp_path)
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        make_case(page, server, model, data)
        name = page.evaluate("window.triggerlens.state.case")
        page.click("#start-scan")
        page.wait_for_selector("#tl-jobbar[data-state=finished]", timeout=300_000)
        case = Workspace(server.cases).case(name)
        run = case.runs("attention-entropy")[0].id
        page.goto(f"{server.url}/?case={name}&tab=attention&run={run}&sample=0")
        page.wait_for_selector(".tl-inspector .tl-stage[data-ready]", timeout=120_000)
        assert page.locator(".tl-segmented[aria-label=View] button").count() >= 2
        assert page.locator("#tl-curve circle").count() >= 2
    # The page still asks the model for its answer: the worker stops after the page is gone.
    client.stop_worker(case)
    result = case.runs("attention-entropy")[0].result()
    assert result["n"] == ROWS and result["failed"] == 0
    assert watched.problems == [] and watched.foreign() == []

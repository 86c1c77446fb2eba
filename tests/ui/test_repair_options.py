"""What is written into the form of a repair reaches its run, from the folded part too."""

from typing import Any

import pytest

from forensics.case import Case
from forensics.ui.workspace import Workspace
from tests.tiny_encoders import save_vit
from tests.ui.drawn_triggers import clip_case
from tests.ui.serving import CHROMIUM, Server, Watched, chromium, leave
from tests.ui.test_browser_trigger_walk import fill

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
METHOD, OTHER = "repulsive-prompts", "token-unlearning"
HIDDEN_AT_FIRST = """fold => {
  document.querySelector(`${fold} > .label-wrap`).click();
  const inside = document.querySelector(`${fold} > :not(.label-wrap)`);
  return getComputedStyle(inside).visibility === "hidden";
}"""
WISHES = {"epochs": 3, "batch_size": 7, "start_width": 0.5, "classes": "disc|ring", "reuse": False}


@pytest.fixture(scope="module")
def case(server: Server) -> Case:
    root = server.cases / "options"
    return clip_case(root, save_vit(root / "vit"), ["disc", "ring"])


def open_form(page: Any, method: str) -> None:
    if page.get_attribute("#tl-rp-picker", "open") is None:
        page.click("#tl-rp-picker > summary")
    page.click(f"#tl-rp-method-{method}")
    page.click("#tl-rp-options")
    page.wait_for_selector(f"#start-{method}", state="visible")


def test_folded_options_reach_the_run_whatever_else_is_opened_meanwhile(
    server: Server, case: Case
) -> None:
    """Gradio builds a fold twice when it opens; what was written in between was lost once."""
    name = Workspace(server.cases).enter(case.folder)
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        page.set_default_timeout(400_000)  # a busy machine
        page.goto(f"{server.url}/?case={name}&tab=repair")
        page.wait_for_selector("#repair .tl-root[data-ready]")
        open_form(page, METHOD)
        assert page.evaluate(HIDDEN_AT_FIRST, f"#more-{METHOD}"), "nothing can be written too early"
        fill(page, METHOD, **WISHES)
        page.click(f"#more-{METHOD} > .label-wrap")  # folded again
        page.keyboard.press("Escape")
        open_form(page, OTHER)
        page.keyboard.press("Escape")
        open_form(page, METHOD)
        page.click(f"#start-{METHOD}")
        page.wait_for_selector("#tl-rp-running", state="visible")
        try:
            given = case.runs(METHOD)[0].options
            assert {key: given[key] for key in WISHES} == WISHES
        finally:
            leave(page, case)
        assert watched.problems == []

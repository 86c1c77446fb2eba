"""The Lab tab in a browser: a short lesson from plan to score, and a walk-through."""

from collections.abc import Iterator
from typing import Any

import pytest

from forensics.case import Case
from forensics.teaching.scoring import known_truth
from forensics.ui.workspace import Workspace
from tests.ui.serving import CHROMIUM, Server, Watched, chromium, leave

pytest.importorskip("playwright")
HOSTILE = "<img src=x onerror=alert(1)>"
PATIENCE = 300_000  # a busy machine
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def watched() -> Iterator[Watched]:
    with chromium() as browser:
        found = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        found.page.set_default_timeout(PATIENCE)
        yield found


def slide(page: Any, control: str, value: float) -> None:
    page.locator(control).evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input')); }",
        str(value),
    )


def plan(page: Any) -> None:
    """Plan a lesson of sixty pictures that trains for a handful of steps."""
    page.wait_for_selector(".tl-lab-samples[data-trigger]")
    page.select_option("#tl-lab-set-place", "corner")
    slide(page, "#tl-lab-samples", 60)
    slide(page, "#tl-lab-epochs", 2)
    page.fill("#tl-lab-target", HOSTILE)
    page.fill("#tl-lab-title", "Sixty <b>pictures</b>")
    page.wait_for_selector(".tl-lab-samples[data-trigger*='place=corner']")
    page.wait_for_function("document.querySelector('#tl-lab-said').textContent.includes('of 60')")
    shown = page.locator(".tl-lab-sample")
    assert shown.count() == 6
    assert shown.first.locator("ins").inner_text() == HOSTILE
    before, after = (shown.first.locator("img").nth(k).get_attribute("src") for k in (0, 1))
    assert before != after and before.startswith("data:image/png;base64,")


def predict(page: Any, case: Case) -> None:
    truth = known_truth(case)
    page.click("#tl-lab-answers")
    page.fill("#tl-lab-player", "Ada <i>")
    page.fill("#tl-lab-guess-target", truth.target)
    for name in truth.samples:
        page.check(f"#tl-lab-grid input[data-id='{name}']")
    picture = page.locator(".tl-lab-picture").first
    box = picture.bounding_box()
    page.mouse.click(box["x"] + 0.95 * box["width"], box["y"] + 0.95 * box["height"])
    page.wait_for_selector(".tl-lab-spot")
    page.click("#tl-lab-commit")
    page.wait_for_function("document.querySelector('#tl-lab-players')?.textContent.includes('Ada')")
    assert "onerror" not in page.locator("#tl-lab-players").inner_html()


def test_a_lesson_is_planted_trained_predicted_and_revealed(
    server: Server, watched: Watched
) -> None:
    page = watched.page
    page.goto(f"{server.url}/?tab=lab")
    plan(page)
    page.click("#tl-lab-make")
    page.wait_for_selector("#lab .tl-root[data-ready=training]")
    name = page.evaluate("window.triggerlens.state.case")
    case = Workspace(server.cases).case(name)
    try:
        # The page may be left meanwhile: the worker goes on, and the page finds it again.
        page.goto("about:blank")
        page.goto(f"{server.url}/?tab=lab&case={name}")
        page.wait_for_selector("#tl-lab-train li[data-step=train][data-state=finished]")
        page.wait_for_selector("#lab .tl-root[data-ready=ready]")
        page.wait_for_selector("#tl-lab-bars svg rect")
        assert page.locator(".tl-lab-shown img").count() == 24
        assert case.known()["trigger"] not in page.content()
        predict(page, case)
        page.click("#tl-lab-reveal")
        page.wait_for_selector("#tl-lab-scores")
        assert page.locator("#tl-lab-scores tbody td").first.inner_text() == "4.00"
        assert page.locator("#tl-lab-truth code").inner_text() == case.known()["trigger"]
        assert page.locator("#tl-lab-rates tbody tr").count() == 1
        with page.expect_download() as saved:
            page.click("#tl-lab-sheet-answers")
        assert "Worksheet: Sixty &lt;b&gt;" in saved.value.path().read_text(encoding="utf-8")
    finally:
        leave(page, case)
    assert watched.problems == [] and watched.foreign() == []


def test_a_walk_through_asks_explains_points_and_is_found_again(
    server: Server, watched: Watched
) -> None:
    page = watched.page
    page.goto(f"{server.url}/?tab=lab")
    page.click("#tl-walk-fooled")
    page.wait_for_selector("#tl-walk[data-step='0'][data-done=false]")
    assert page.locator(".tl-walk-because").count() == 0
    page.locator(".tl-walk-answer").first.click()
    assert page.locator(".tl-walk-because").inner_text().startswith("Yes.")
    page.click("#tl-walk-show")
    page.wait_for_selector("#tl-demo-vlm-mixed.tl-walk-here")
    # It covers nothing that is needed: the control itself can be clicked, and the step notices.
    page.click("#tl-demo-vlm-mixed")
    page.wait_for_selector("#tl-walk[data-step='0'][data-done=true]")
    page.click("#tl-walk-next")
    page.wait_for_selector("#tl-walk[data-step='1']")
    page.reload()
    page.wait_for_selector("#tl-walk[data-step='1']")
    assert "walk=fooled" in page.url
    page.click("#tl-walk-leave")
    page.wait_for_selector("#tl-walk", state="hidden")
    assert "walk=" not in page.url and page.locator(".tl-walk-here").count() == 0
    page.goto(f"{server.url}/?tab=lab&walk=fooled")
    page.wait_for_selector("#tl-walk[data-step='1']")
    assert watched.problems == [] and watched.foreign() == []

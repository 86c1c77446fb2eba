"""Every tab of two full cases: no serious accessibility fault, all by keyboard, texts inert.

What a screen holds is found in the page, so that a new tab or control is looked at by itself.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from forensics.ui.workspace import Workspace
from tests.ui.full_cases import MARK, encoder_case, language_case
from tests.ui.serving import CHROMIUM, Server, Watched, chromium

pytest.importorskip("playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
QUIET = 700  # milliseconds without a request: what a tab wanted to load is there
# Elements that something happens on when they are clicked, and whether a keyboard reaches them:
# focusable themselves, inside something that is, or a row around a button that does the same.
ASK = """element => element.tabIndex >= 0
    || Boolean(element.closest('button, a[href], label, summary, [tabindex="0"]'))
    || Boolean(element.querySelector('button, a[href]'))
    || element.closest('[data-keys]') !== null"""
# Dragging here has another way: a range of a histogram is a button of its table and the cut a
# number field; the wipe has a slider, the map of samples its own keys.
OTHER_WAY = "#tl-entropy, #tl-scores, #tl-wipe"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module", params=["language", "encoder"])
def tabs(request: pytest.FixtureRequest, server: Server, browser: Any) -> Iterator[Watched]:
    make = {"language": language_case, "encoder": encoder_case}[request.param]
    name, _ = make(server)
    watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
    watched.page.goto(f"{server.url}/?case={name}")
    watched.page.wait_for_selector("#tabs [role=tab]")
    yield watched
    watched.page.close()


def each_tab(page: Any) -> Iterator[str]:
    """Open one tab after the other, with every fold open."""
    names = page.eval_on_selector_all("#tabs [role=tab]", "tabs => tabs.map(tab => tab.id)")
    assert len(names) >= 6
    for name in names:
        page.click(f"#{name}")
        settle(page)
        page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
        settle(page)
        yield name


def settle(page: Any) -> None:
    """Wait until the page asks for nothing more."""
    page.wait_for_timeout(100)
    page.evaluate(
        """quiet => new Promise(done => {
            let last = performance.now();
            const seen = new PerformanceObserver(() => { last = performance.now(); });
            seen.observe({ type: 'resource' });
            const look = () => performance.now() - last > quiet
                ? (seen.disconnect(), done()) : setTimeout(look, 50);
            look();
        })""",
        QUIET,
    )


def test_every_tab_in_both_themes_has_no_serious_fault_and_runs_no_text(tabs: Watched) -> None:
    page, found = tabs.page, []
    checker = axe.Axe()
    for name in each_tab(page):
        for _ in ("one theme", "the other"):
            page.click("#tl-theme")
            for fault in checker.run(page).response["violations"]:
                if fault["impact"] in ("serious", "critical"):
                    found.append((name, fault["id"], [node["html"] for node in fault["nodes"]][:3]))
        assert page.evaluate(f"document.body.getAttribute('{MARK}')") is None, name
        assert page.locator(".tl-root img[src=x], .tl-root svg[onload]").count() == 0, name
    assert found == []
    assert tabs.problems == [] and tabs.foreign() == []


def test_whatever_can_be_clicked_can_be_reached_by_keyboard(tabs: Watched) -> None:
    page = tabs.page
    session = page.context.new_cdp_session(page)
    left_out = []
    for name in each_tab(page):
        for element in listening(page, session):
            if not page.evaluate(f"({ASK})(window.listed[{element}])"):
                html = page.evaluate(f"window.listed[{element}].outerHTML.slice(0, 160)")
                other = page.evaluate(f"window.listed[{element}].matches('{OTHER_WAY}')")
                left_out += [] if other else [(name, html)]
    assert left_out == []


def listening(page: Any, session: Any) -> Iterator[int]:
    """Yield the numbers, in ``window.listed``, of shown elements that listen to a pointer."""
    count = page.evaluate(
        """() => (window.listed = [...document.querySelectorAll('.tl-root *')]
            .filter(element => element.checkVisibility())).length"""
    )
    for number in range(count):
        found = session.send("Runtime.evaluate", {"expression": f"window.listed[{number}]"})
        asked = {"objectId": found["result"]["objectId"]}
        listeners = session.send("DOMDebugger.getEventListeners", asked)["listeners"]
        if {"click", "pointerdown", "mousedown"} & {one["type"] for one in listeners}:
            yield number


def test_the_tab_key_walks_through_a_tab_and_out_of_it_again(tabs: Watched) -> None:
    page = tabs.page
    page.click("#tab-case-button")
    settle(page)
    page.evaluate("document.activeElement.blur()")
    seen: list[str] = []
    for _ in range(400):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => { const at = document.activeElement; if (at === document.body) return null;
                at.dataset.step ??= String(window.step = (window.step ?? 0) + 1);
                return at.dataset.step; }"""
        )
        if here is None or here in seen:  # out of the page, or around
            break
        seen.append(here)
    reachable = page.evaluate(
        """() => [...document.querySelectorAll('#tab-case button, #tab-case a[href],'
            + '#tab-case input:not([type=radio]), #tab-case summary')]
            .filter(one => one.checkVisibility() && one.tabIndex >= 0 && !one.disabled)
            .filter(one => !one.dataset.step).map(one => one.outerHTML.slice(0, 120))"""
    )
    assert len(seen) > 10 and reachable == []


def test_a_bar_of_a_histogram_is_chosen_from_its_table(server: Server, browser: Any) -> None:
    name = Workspace(server.cases).enter(server.cases / "full-language")
    watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
    page = watched.page
    page.goto(f"{server.url}/?case={name}&tab=attention")
    page.wait_for_selector("#tl-gallery .tl-tile")
    card = page.locator(".tl-card", has=page.locator("#tl-entropy")).last
    card.get_by_role("button", name="Table").press("Enter")
    card.locator("tbody tr button").first.press("Enter")
    page.wait_for_function("window.triggerlens.state.selection?.kind === 'entropy'")
    page.close()
    assert watched.problems == []

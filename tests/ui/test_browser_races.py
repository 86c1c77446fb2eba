"""What comes late in a real browser: answers of another case, older answers, clicks under way."""

from collections.abc import Iterator
from typing import Any

import pytest

from forensics.ui.workspace import Workspace
from tests.triage import review_case
from tests.ui import home_cases
from tests.ui.serving import CHROMIUM, Held, Server, Watched, chromium

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

WHILE = 400  # milliseconds in which a late answer would have been drawn
ASKED = {
    "review": "/review/queue?*",
    "report": "/report",
    "repair": "/repairs",
    "triggers": "/triggers",
    "lab": "/lab",
}
DRAWN = """tab => {
  const root = document.querySelector(`#${tab} .tl-root`);
  return tab === 'lab' ? 'ready' in root.dataset : [...root.children].some(part => !part.hidden);
}"""
SET = "async (patch) => { const { set } = await import('/lens/core/store.js'); set(patch); }"
STOP_TWICE = """async () => {
  const { set, watch } = await import('/lens/core/store.js');
  const heard = [];
  const stop = watch(['tau'], () => heard.push('first'));
  watch(['tau'], () => heard.push('second'));
  stop(); stop();
  set({ tau: 1.25 });
  return heard;
}"""
SAID = """name => window.triggerlens.state.methods?.some(line => line.name === name && line.said)
  ?? false"""


@pytest.fixture(scope="module")
def cases(server: Server) -> dict[str, Any]:
    """Two cases with scans, of different size, and a CLIP case without any."""
    one, _ = review_case.make(server.cases / "one")
    two, _ = review_case.make(server.cases / "two", 60)
    clip = home_cases.make_clip_case(server.cases / "clip")
    enter = Workspace(server.cases).enter
    names = {key: enter(case.folder) for key, case in (("one", one), ("two", two), ("clip", clip))}
    return names | {"one case": one, "two case": two}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def watched(browser: Any, server: Server) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    seen = Watched(context.new_page())
    yield seen
    context.close()
    assert seen.foreign() == []
    assert seen.problems == []


def change_case(page: Any, name: str) -> None:
    """Open another case from Home."""
    page.click("#tab-home-button")
    page.click(f"[data-case='{name}'] .tl-open")
    page.wait_for_function("name => window.triggerlens.state.case === name", arg=name)


@pytest.mark.parametrize("tab", ASKED)
def test_what_was_asked_about_another_case_is_not_drawn(
    watched: Watched, server: Server, cases: dict[str, Any], tab: str
) -> None:
    page, name = watched.page, cases["clip" if tab == "triggers" else "one"]
    answers = f"**/api/cases/{name}{ASKED[tab]}"
    held = Held(page, answers)
    with page.expect_request(answers):
        page.goto(f"{server.url}/?case={name}&tab={tab}")
    change_case(page, cases["two"])
    with page.expect_response(answers):
        held.release()
    page.wait_for_timeout(WHILE)
    assert not page.evaluate(DRAWN, tab)


def test_lines_of_another_case_do_not_come_into_the_list(
    watched: Watched, server: Server, cases: dict[str, Any]
) -> None:
    page, answers = watched.page, f"**/api/cases/{cases['one']}/review/items?*"
    held = Held(page, answers)
    page.goto(f"{server.url}/?case={cases['one']}&tab=review")
    page.wait_for_selector("#tl-rv-card[data-drawn]")
    change_case(page, cases["two"])
    page.click("#tab-review-button")
    page.wait_for_selector(".tl-rv-line img")
    with page.expect_response(answers):
        held.release()
    page.wait_for_timeout(WHILE)
    pictures = page.locator(".tl-rv-line img")
    told = [picture.get_attribute("src") for picture in pictures.all()]
    assert told and all(f"/pictures/{cases['two']}/" in address for address in told)


def test_decisions_reach_the_case_that_they_were_made_in(
    watched: Watched, server: Server, cases: dict[str, Any]
) -> None:
    page = watched.page
    held = Held(page, "**/review/decide?*")
    page.goto(f"{server.url}/?case={cases['one']}&tab=review")
    page.wait_for_selector("#tl-rv-card[data-drawn]")
    for _ in range(2):  # the second one waits for the first one
        before = page.get_attribute("#tl-rv-card", "data-drawn")
        page.keyboard.press("k")
        page.wait_for_function(
            "before => document.querySelector('#tl-rv-card').dataset.drawn !== before", arg=before
        )
    change_case(page, cases["two"])
    with page.expect_response(f"**/api/cases/{cases['one']}/review/decide?*"):
        held.release()
    page.wait_for_timeout(WHILE)
    made = {key: len(cases[f"{key} case"].journal.decisions_after(0)) for key in ("one", "two")}
    assert made == {"one": 2, "two": 0}


def test_a_clip_case_without_evidence_is_sent_to_its_map(
    watched: Watched, server: Server, cases: dict[str, Any]
) -> None:
    page = watched.page
    page.goto(f"{server.url}/?case={cases['clip']}&tab=review")
    page.wait_for_selector("#review >> text=No evidence yet.")
    page.click("#review >> text=Open Clusters")
    page.wait_for_selector("#tl-umap-start")


def test_an_older_answer_about_the_methods_does_not_replace_a_newer_one(
    watched: Watched, server: Server, cases: dict[str, Any]
) -> None:
    page, late = watched.page, []
    page.goto(f"{server.url}/?case={cases['one']}&tab=case")
    page.wait_for_function("window.triggerlens?.state.methods && window.triggerlens.state.run")
    page.wait_for_load_state("networkidle")
    assert not page.evaluate(SAID, "attention-allocation")
    # What the server says now arrives after what it says later.
    page.route("**/methods?*", lambda route: late.append((route, route.fetch())), times=1)
    page.evaluate(SET, {"finished": "one"})
    while not late:
        page.wait_for_timeout(20)
    review_case.allocation(cases["one case"], [0, 1])
    page.evaluate(SET, {"finished": "two"})
    page.wait_for_function(SAID, arg="attention-allocation")
    for route, response in late:
        route.fulfill(response=response)
    page.wait_for_timeout(WHILE)
    assert page.evaluate(SAID, "attention-allocation")


def test_a_watcher_that_is_stopped_twice_stops_nobody_else(
    watched: Watched, server: Server
) -> None:
    page = watched.page
    page.goto(server.url)
    page.wait_for_selector("#home-cases .tl-root[data-ready]", state="attached")
    assert page.evaluate(STOP_TWICE) == ["second"]


def test_the_arrows_of_the_inspector_stay_while_samples_arrive(
    watched: Watched, server: Server, cases: dict[str, Any]
) -> None:
    page, row = watched.page, "document.querySelector('#tl-inspector').dataset.row"
    page.goto(f"{server.url}/?case={cases['one']}&tab=attention")
    page.wait_for_selector("#attention .tl-root[data-ready]")
    page.wait_for_selector("#tl-inspector[data-row]")
    rows = [page.evaluate(row)]
    samples = Held(page, "**/runs/*/samples/*")
    page.focus("#tl-next")
    page.keyboard.press("Enter")
    page.hover("#tl-next")
    page.mouse.down()
    samples.release()
    page.wait_for_function(f"before => {row} !== before", arg=rows[-1])
    assert page.evaluate("document.activeElement.id") == "tl-next"
    rows.append(page.evaluate(row))
    page.mouse.up()
    page.wait_for_function(f"before => {row} !== before", arg=rows[-1])
    rows.append(page.evaluate(row))
    assert len(set(rows)) == 3

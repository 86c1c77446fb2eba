"""The Review tab in a real browser: one walk by two reviewers, mostly by keys."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from forensics.case.standing import standing
from forensics.ui.workspace import Workspace
from tests.drawn_map import write_map
from tests.triage import review_case as made
from tests.triage.review_case import HOSTILE
from tests.ui.serving import CHROMIUM, Held, Server, Watched, chromium

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    root = tmp_path_factory.mktemp("walk")
    case, _ = made.make(root / "cases" / "drawn")
    made.allocation(case, [0, 1])
    write_map(case)
    server = Server(root / "cases", root / "server.log")
    server.start()
    name = Workspace(root / "cases").enter(case.folder)
    yield SimpleNamespace(case=case, server=server, name=name)
    server.stop()


ENDED = """async () => {
  const { set } = await import('/lens/core/store.js');
  set({ finished: `a job ${Date.now()}` });
}"""


@pytest.fixture
def watched(served: SimpleNamespace) -> Iterator[Watched]:
    """The tab with its first sample; nothing leaves this machine and nothing breaks."""
    with chromium() as browser:
        seen = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        seen.page.set_default_timeout(30_000)
        seen.page.goto(f"{served.server.url}/?case={served.name}&tab=review")
        seen.page.wait_for_selector("#tl-rv-card[data-drawn='0']")
        yield seen
        assert seen.problems == [] and seen.foreign() == []


def press(page: Any, key: str) -> None:
    """Press a key and wait until the next sample is drawn."""
    before = page.get_attribute("#tl-rv-card", "data-drawn")
    page.keyboard.press(key)
    page.wait_for_function(
        "before => document.querySelector('#tl-rv-card').dataset.drawn !== before", arg=before
    )


def told(page: Any, text: str) -> None:
    page.wait_for_function(
        "text => document.querySelector('#tl-rv-progress').textContent.includes(text)", arg=text
    )


def test_two_reviewers_walk_the_queue_by_keys(served: SimpleNamespace) -> None:
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        page.goto(f"{served.server.url}/?case={served.name}&tab=review")
        page.wait_for_selector("#tl-rv-card[data-drawn='0']")
        assert page.locator("#tl-rv-near figure").count() == 3
        assert "Flagged by 2 of 2 checks" in page.inner_text("#tl-rv-reason")
        page.fill("#tl-rv-name", "ada")
        page.keyboard.press("Tab")
        page.wait_for_function("localStorage.getItem('triggerlens-reviewer') === 'ada'")
        # One key decides and goes on; a note; taking back.
        press(page, "f")
        press(page, "k")
        told(page, "2 of 25 suspected samples decided")
        press(page, "ArrowUp")
        page.keyboard.press("n")
        page.keyboard.type(f"f k u {HOSTILE}")  # typing decides nothing
        page.keyboard.press("Escape")
        page.wait_for_selector("#tl-rv-people q")
        assert HOSTILE in page.inner_text("#tl-rv-people q")
        page.keyboard.press("Control+z")  # the note
        page.wait_for_selector("#tl-rv-people q", state="detached")
        page.keyboard.press("Control+z")  # the verdict
        told(page, "1 of 25 suspected samples decided")
        page.keyboard.press("?")
        assert page.is_visible("#tl-rv-legend")
        # Hostile text of a sample is text.
        page.select_option("#tl-rv-shown", "all")
        page.select_option("#tl-rv-channel", "attention-allocation")
        page.wait_for_selector(".tl-rv-line[data-row='1']")
        page.click(".tl-rv-line[data-row='1']")
        page.wait_for_selector("#tl-rv-card[data-drawn='1']")
        assert page.inner_text("#tl-rv-id") == HOSTILE
        # Everything that is shown, after a question.
        page.select_option("#tl-rv-shown", "suspected")
        page.select_option("#tl-rv-channel", "")
        page.wait_for_function("document.querySelector('#tl-rv-n').textContent.startsWith('25 ')")
        page.click("#tl-rv-all-flag")
        page.click("#tl-rv-yes")
        told(page, "25 of 25 suspected samples decided (100 %)")
        # The second reviewer, blind until comparing.
        page.check("#tl-rv-blind")
        page.fill("#tl-rv-name", "bob")
        page.keyboard.press("Tab")
        told(page, "0 of 25 suspected samples decided")
        page.wait_for_selector("#tl-rv-people >> text=is hidden")
        page.click("#tl-rv-id")
        press(page, "k")
        press(page, "f")
        told(page, "2 of 25 suspected samples decided")
        page.click("#tl-rv-compare")
        page.wait_for_selector("#tl-rv-agreement .tl-rv-pair")
        assert "1 of 2" in page.inner_text("#tl-rv-agreement .tl-rv-pair")
        told(page, "1 in disagreement")
        # From the map: what people flagged is selected, and the selection comes to the queue.
        page.click("#tab-clusters-button")
        page.wait_for_selector("#clusters .tl-root[data-ready]")
        page.select_option("#tl-umap-colour", "decision")
        page.wait_for_selector("#tl-umap-legend[data-ready='decision']")
        page.click("#tl-umap-flagged")
        page.click("#tl-umap-decide")
        page.wait_for_selector("#tl-rv-selection")
        assert page.inner_text("#tl-rv-selection").startswith("24 samples")
        assert watched.problems == [] and watched.foreign() == []
    held = standing(served.case.journal.decisions_after(0))
    assert held.people() == ["ada", "bob"] and list(held.verdicts().values()).count("flag") == 24


def test_a_click_counts_though_the_list_changes_under_it(served: SimpleNamespace) -> None:
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        lines = Held(page, "**/review/items?*")
        page.goto(f"{served.server.url}/?case={served.name}&tab=review")
        page.wait_for_selector("#tl-rv-card[data-drawn='0']")
        line = page.locator(".tl-rv-line").nth(4)
        row = line.get_attribute("data-row")
        assert line.inner_text().startswith("…")
        line.hover()
        page.mouse.down()
        lines.release()
        page.wait_for_function("line => !line.innerText.startsWith('…')", arg=line.element_handle())
        page.mouse.up()
        page.wait_for_selector(f"#tl-rv-card[data-drawn='{row}']")
        # Of the old list, while the answer of a wider filter is on its way.
        queue = Held(page, "**/review/queue?*")
        page.select_option("#tl-rv-shown", "all")
        other = page.locator(".tl-rv-line").nth(2)
        row = other.get_attribute("data-row")
        other.click()
        page.wait_for_selector(f"#tl-rv-card[data-drawn='{row}']")
        before = page.inner_text("#tl-rv-n")
        queue.release()
        page.wait_for_function(
            "before => document.querySelector('#tl-rv-n').innerText !== before", arg=before
        )
        page.wait_for_selector(f".tl-rv-line[data-row='{row}'][aria-selected='true']")
        assert page.get_attribute("#tl-rv-card", "data-drawn") == row
        assert watched.problems == [] and watched.foreign() == []


def test_a_job_that_ends_takes_neither_the_note_nor_the_question(watched: Watched) -> None:
    page = watched.page
    page.click("#tl-rv-all-unsure")
    page.fill("#tl-rv-note", "half a ")
    with page.expect_response("**/review/samples/0?*"):
        page.evaluate(ENDED)
    page.wait_for_timeout(300)
    assert page.is_visible("#tl-rv-yes")
    page.keyboard.type("note")
    assert page.input_value("#tl-rv-note") == "half a note"
    page.keyboard.press("Escape")
    page.wait_for_selector("#tl-rv-people q >> text=half a note")
    # What the question was about is not shown any more.
    page.select_option("#tl-rv-shown", "all")
    page.wait_for_selector("#tl-rv-yes", state="detached")


def test_keys_mean_samples_as_soon_as_the_tab_was_clicked(watched: Watched) -> None:
    page = watched.page
    page.click("#tab-report-button")
    page.click("#tab-review-button")
    press(page, "ArrowRight")
    press(page, "ArrowLeft")
    assert page.evaluate("window.triggerlens.state.tab") == "review"
    page.focus("#tab-review-button")  # by keyboard: arrows walk the tabs, other keys mean the same
    page.keyboard.press("?")
    page.wait_for_selector("#tl-rv-legend", state="visible")


def test_a_note_that_was_not_saved_is_sent_again(watched: Watched) -> None:
    page = watched.page
    page.route("**/review/decide?*", lambda route: route.abort(), times=1)
    page.fill("#tl-rv-note", "once more")
    page.keyboard.press("Escape")
    page.wait_for_selector(".tl-rv-note >> text=Not saved.")
    watched.problems.clear()  # the request that failed
    page.focus("#tl-rv-note")
    page.keyboard.press("Escape")
    page.wait_for_selector("#tl-rv-people q >> text=once more")


def test_a_note_that_was_not_saved_waits_for_its_writer(watched: Watched) -> None:
    page = watched.page
    asked: list[Any] = []
    page.route("**/review/decide?*", lambda route: asked.append(route), times=1)
    row = page.get_attribute("#tl-rv-card", "data-drawn")
    page.fill("#tl-rv-note", "written in vain")
    with page.expect_request("**/review/decide?*"):
        page.keyboard.press("Escape")
    press(page, "ArrowRight")  # somebody has gone on before it fails
    asked[0].abort()
    page.wait_for_selector("#review .tl-alert")
    assert page.input_value("#tl-rv-note") == ""
    watched.problems.clear()  # the request that failed
    press(page, "ArrowLeft")
    page.wait_for_selector(f"#tl-rv-card[data-drawn='{row}']")
    page.wait_for_selector(".tl-rv-note >> text=Not saved yet")
    assert page.input_value("#tl-rv-note") == "written in vain"
    press(page, "ArrowRight")  # which sends it again
    press(page, "ArrowLeft")
    page.wait_for_selector("#tl-rv-people q >> text=written in vain")
    assert not page.is_visible(".tl-rv-note >> text=Not saved yet")


def test_a_note_on_its_way_is_there_on_the_way_back(watched: Watched) -> None:
    page = watched.page
    asked: list[Any] = []
    for outcome in ("lost", "kept"):
        asked.clear()
        page.route("**/review/decide?*", lambda route: asked.append(route))
        page.fill("#tl-rv-note", f"a note that is {outcome}")
        with page.expect_request("**/review/decide?*"):
            page.keyboard.press("Escape")
        for _ in range(2):  # going on from it does not send it again
            press(page, "ArrowRight")
            press(page, "ArrowLeft")
            page.wait_for_selector(".tl-rv-note >> text=Saving…")
            assert page.input_value("#tl-rv-note") == f"a note that is {outcome}"
        assert len(asked) == 1
        if outcome == "lost":
            asked[0].abort()
            page.wait_for_selector(".tl-rv-note >> text=Not saved.")
        else:
            asked[0].continue_()
            page.wait_for_selector(".tl-rv-note >> text=Saved.")
        page.unroute("**/review/decide?*")
        assert page.input_value("#tl-rv-note") == f"a note that is {outcome}"
    page.wait_for_selector("#tl-rv-people q >> text=a note that is kept")
    watched.problems.clear()  # the request that failed


def test_a_verdict_shows_on_the_way_back_though_it_is_not_saved_yet(watched: Watched) -> None:
    page, verdict = watched.page, "#tl-rv-unsure[aria-pressed='true']"
    decisions = Held(page, "**/review/decide?*")
    press(page, "u")
    press(page, "ArrowLeft")
    page.wait_for_selector(verdict)
    page.evaluate(ENDED)  # everything is read again, before the decision arrives
    page.wait_for_selector("#tl-rv-unsure[aria-pressed='false']")
    with page.expect_response("**/review/samples/0?*"):
        decisions.release()
    page.wait_for_selector(verdict)
    press(page, "ArrowRight")
    press(page, "ArrowLeft")
    page.wait_for_selector(verdict)


@pytest.mark.parametrize("stale", ["**/review?*", "**/review/queue?*"])
def test_a_verdict_counts_though_an_answer_from_before_it_comes_late(
    watched: Watched, stale: str
) -> None:
    page = watched.page
    page.fill("#tl-rv-name", "eve")
    page.check("#tl-rv-blind")  # what others of this file decided does not count
    told(page, "0 of 25 suspected samples decided")
    answer = Held(page, stale, answered=True)
    page.fill("#tl-rv-name", f"carl, {stale}")  # everything is read again
    page.keyboard.press("Tab")
    answer.wait()
    row = page.get_attribute("#tl-rv-card", "data-drawn")
    with page.expect_response("**/review/decide?*"):
        press(page, "f")
    told(page, "1 of 25 suspected samples decided")
    answer.release()
    page.wait_for_function("name => document.querySelector('#tl-rv-name').value === name",
                           arg=f"carl, {stale}")  # fmt: skip
    page.wait_for_selector(f".tl-rv-line[data-row='{row}'] .tl-rv-flag")
    told(page, "1 of 25 suspected samples decided")
    page.select_option("#tl-rv-shown", "all")  # another queue; how far carl is stays
    page.wait_for_function("!document.querySelector('#tl-rv-n').textContent.startsWith('25 ')")
    told(page, "1 of 25 suspected samples decided")


def test_a_verdict_that_could_not_be_saved_is_taken_back(watched: Watched) -> None:
    page = watched.page
    pressed = "[...document.querySelectorAll('.tl-rv-verdict')].map(one => one.ariaPressed)"
    before = page.evaluate(pressed)
    asked: list[Any] = []
    page.route("**/review/decide?*", lambda route: asked.append(route), times=1)
    press(page, "k")
    press(page, "ArrowLeft")
    page.wait_for_selector("#tl-rv-keep[aria-pressed='true']")
    asked[0].abort()
    page.wait_for_selector("#review [role=alert]")
    assert page.evaluate(pressed) == before
    watched.problems.clear()  # the request that failed


def test_arrows_and_verdicts_keep_the_focus_from_sample_to_sample(watched: Watched) -> None:
    page = watched.page
    for control in ("#tl-rv-card [aria-label='Next sample']", "#tl-rv-keep"):
        page.focus(control)
        press(page, "Enter")
        press(page, "Enter")
    assert page.get_attribute("#tl-rv-card", "data-row") == page.get_attribute(
        ".tl-rv-line[aria-selected='true']", "data-row"
    )
    assert page.evaluate("document.activeElement.id") == "tl-rv-keep"

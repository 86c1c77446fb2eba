"""Answers that come late, twice or not at all: what somebody does meanwhile counts."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from forensics.errors import InputError
from forensics.jobs.attention_allocation.job import run as allocate
from forensics.runs import execute
from forensics.teaching.lessons import make_lesson
from forensics.teaching.plans import LessonPlan
from forensics.teaching.predictions import Prediction, commit
from forensics.ui.workspace import Workspace
from tests.teaching.conftest import draw_scan
from tests.ui import home_cases, synthetic
from tests.ui.serving import CHROMIUM, Held, Server, Watched, chromium

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

STORE = "import('/lens/core/store.js').then(({ set }) => set(%s))"
A_MOMENT = 300  # milliseconds: for what must not happen


@pytest.fixture(scope="module")
def made(server: Server) -> SimpleNamespace:
    """A case with two scans, and a method that decided from the first one's arrays."""
    case = synthetic.make_case(server.cases / "late", 240)
    first = synthetic.scan(case)
    second = case.new_run("attention-allocation", {})
    execute(second, lambda context: allocate(case, context, {}, None))  # type: ignore[arg-type]
    enter = Workspace(server.cases).enter
    other = enter(synthetic.make_case(server.cases / "empty", 8).folder)
    return SimpleNamespace(case=case, run=first, name=enter(case.folder), other=other)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    watched = Watched(context.new_page())
    yield watched.page
    context.close()
    assert watched.foreign() == []
    assert [said for said in watched.problems if "404" not in said] == []


def attention(page: Any, server: Server, made: SimpleNamespace, more: str = "") -> None:
    page.goto(f"{server.url}/?case={made.name}&tab=attention&run={made.run.id}{more}")
    page.wait_for_selector("#attention .tl-root[data-ready]")


def refuse(page: Any, pattern: str) -> None:
    answer = {"error": "It is not there.", "remedy": "Look again."}
    page.route(pattern, lambda route: route.fulfill(status=404, json=answer))


def away_and_back(page: Any, tab: str) -> None:
    page.click("#tab-case-button")
    page.wait_for_selector("#tab-case-button[aria-selected=true]")
    page.click(f"#tab-{tab}-button")


def test_arrow_keys_move_the_gate_and_stay_on_it(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    attention(page, server, made)
    sample = page.evaluate("window.triggerlens.state.sample")
    page.focus("#tl-tau")
    for tau in ("2.1", "2.2", "2.3"):
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f"#attention .tl-root[data-ready$='/{tau}']")
        assert page.evaluate("document.activeElement.id") == "tl-tau"
    assert page.evaluate("window.triggerlens.state.sample") == sample
    page.get_by_role("button", name="back to 2.0").click()
    page.wait_for_selector("#attention .tl-root[data-ready$='/2']")
    assert page.input_value("#tl-tau") == "2"
    page.focus("#tl-rule-code")
    page.keyboard.press("Enter")
    page.wait_for_selector("#attention .tl-root[data-ready*='/code/']")
    assert page.evaluate("document.activeElement.id") == "tl-rule-code"


def test_home_is_left_alone_by_an_answer_that_says_nothing_new(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    page.goto(f"{server.url}/?case={made.name}&tab=home")
    page.wait_for_selector("#home-history tbody tr")
    card = page.locator(f".tl-case[data-case={made.name}]").element_handle()
    row = page.locator("#home-history tbody tr").first.element_handle()
    with page.expect_response("**/api/home/cases"), page.expect_response("**/history"):
        away_and_back(page, "home")
    page.wait_for_timeout(A_MOMENT)
    assert card.evaluate("node => node.isConnected") and row.evaluate("node => node.isConnected")
    # One that says something new leaves the search alone.
    new = synthetic.scan(made.case)
    answer = Held(page, "**/history")
    away_and_back(page, "home")
    page.fill("#tl-history-text", "Attention En")
    page.press("#tl-history-text", "ArrowLeft")
    answer.release()
    page.wait_for_selector(f"#home-history tr[data-run='{new.id}']")
    assert page.evaluate("document.activeElement.id") == "tl-history-text"
    assert page.input_value("#tl-history-text") == "Attention En"
    assert page.evaluate("document.activeElement.selectionStart") == len("Attention E")
    assert page.locator("#home-history tbody tr").count() == 2


def test_a_comparison_stays_as_it_was_unfolded(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    pair = f"a={made.name}.{made.run.id}&b={made.name}.{synthetic.scan(made.case).id}"
    page.goto(f"{server.url}/?case={made.name}&tab=home&{pair}")
    page.locator("details[data-part='both flag'] summary").click()
    with page.expect_response("**/api/home/compare*"):
        away_and_back(page, "home")
    page.wait_for_selector("#home-compare[data-ready] details[data-part='both flag'][open]")


def test_a_truth_that_was_hidden_again_stays_hidden(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    attention(page, server, made)
    page.wait_for_selector("#tl-gallery .tl-tile")
    answer = Held(page, "**/truth?*")
    with page.expect_request("**/truth?*"):
        page.click("#tl-reveal")
    page.click("#tl-reveal")
    with page.expect_response("**/truth?*"):
        answer.release()
    page.wait_for_timeout(A_MOMENT)
    assert page.inner_text("#tl-reveal") == "Reveal ground truth"
    assert page.locator("#tl-truth-score, .tl-badge-truth").count() == 0
    # A run that is opened anew with nothing revealed draws its pictures once.
    page.evaluate("""() => { window.drawn = 0; new MutationObserver((all) => {
        window.drawn += all.filter((one) => one.addedNodes.length).length;
    }).observe(document.querySelector('#tl-gallery'), { childList: true }); }""")
    page.click("#tl-rule-code")
    page.wait_for_selector("#attention .tl-root[data-ready*='/code/']")
    page.wait_for_timeout(A_MOMENT)
    tiles = page.locator("#tl-gallery .tl-tile").count()
    assert 0 < page.evaluate("window.drawn") <= tiles


def test_a_slow_answer_does_not_overwrite_the_rule_chosen_after_it(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    slow = Held(page, re.compile(r"/runs/[^/]+/(scores|layers/\d+)\?rule=(?!code)"))
    page.goto(f"{server.url}/?case={made.name}&tab=attention&run={made.run.id}")
    page.click("[data-rule=code]")
    page.wait_for_selector("#attention .tl-root[data-ready*='/code/']")
    shown = "['#tl-scores', '#tl-entropy'].map((id) => document.querySelector(`${id} svg`)"
    shown += "?.getAttribute('aria-label') + document.querySelector(id).parentNode.innerText)"
    page.wait_for_selector("#tl-scores svg")
    before = page.evaluate(shown)
    with page.expect_response(re.compile(r"/scores\?rule=(?!code)")):
        slow.release()
    page.wait_for_timeout(A_MOMENT)
    assert page.evaluate(shown) == before


def test_flags_that_come_after_somebody_went_back_select_nothing(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    flags = Held(page, "**/agreement/rows?*")
    with page.expect_request("**/agreement/rows?*"):
        attention(page, server, made, "&view=attention-allocation")
    page.locator("[data-method=attention-entropy]").get_by_text("Show", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("window.triggerlens.state.view === null")
    with page.expect_response("**/agreement/rows?*"):
        flags.release()
    page.wait_for_timeout(A_MOMENT)
    assert page.evaluate("window.triggerlens.state.selection") is None
    assert page.evaluate("document.activeElement.innerText") == "Show"


def test_flags_are_found_by_the_name_of_their_method(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    chosen = "window.triggerlens.state.selection?.rows.size > 0"
    attention(page, server, made, "&view=attention-allocation")
    page.wait_for_function(chosen)
    page.evaluate("window.before = window.triggerlens.state.methods")
    page.evaluate(STORE % "{ selection: null, finished: 'a run that ended' }")
    page.wait_for_function(
        "(now => now && now !== window.before)(window.triggerlens.state.methods)"
    )
    page.click("#tl-show-flags")
    page.wait_for_function(chosen)


@pytest.mark.parametrize("pressed", ["#start-scan", "#tl-transplant-start"])
def test_what_was_started_in_one_case_is_not_followed_in_another(
    page: Any, server: Server, made: SimpleNamespace, pressed: str
) -> None:
    late: list[Any] = []
    begun = {"run": "begun", "state": "queued", "done": 0, "total": 0, "message": ""}
    page.route("**/methods/attention-entropy", lambda route: late.append(route))

    def hold(route: Any) -> None:
        if route.request.method == "POST":
            late.append(route)
        else:
            route.fulfill(json={"state": None})

    page.route("**/transplant", hold)
    attention(page, server, made)
    if pressed == "#start-scan":
        page.click("#tab-case-button")
    with page.expect_request(lambda request: request.method == "POST"):
        page.click(pressed)
    page.evaluate(STORE % f"{{ case: '{made.other}', run: null, tab: 'case' }}")
    page.wait_for_function("window.triggerlens.state.methods")
    late[0].fulfill(json=begun)
    page.wait_for_timeout(A_MOMENT)
    shown = "(({ run, job, tab }) => [run, job, tab])(window.triggerlens.state)"
    assert page.evaluate(shown) == [None, None, "case"]


def test_a_transplant_test_is_followed_on_after_a_look_that_failed(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    runs = {"run": "it", "state": "running", "done": 1, "total": 9, "message": ""}
    halted = runs | {"state": "interrupted", "resumable": True}
    trouble = {"error": "It is not there.", "remedy": "Look again."}
    answers = [{"json": runs}, {"status": 404, "json": trouble}]
    page.route("**/transplant", lambda route: route.fulfill(
        **(answers.pop(0) if answers else {"json": halted})))  # fmt: skip
    attention(page, server, made)
    page.locator("#tl-transplant").get_by_text("It is not there.").wait_for()
    page.locator("#tl-transplant").get_by_role("button", name="Resume").wait_for()


def test_a_question_to_the_model_outlives_a_change_of_layer(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    attention(page, server, made)
    asked: list[Any] = []

    def reply(route: Any) -> None:
        asked.append(route)
        if len(asked) > 1:  # the first one waits for the model
            route.fulfill(json={"text": "a banana", "probability": 0.5})

    page.route("**/live/answer", reply)
    with page.expect_request("**/live/answer"):
        page.click("#tl-ask")
    page.locator("#tl-curve circle").nth(4).click()
    page.wait_for_selector("#tl-model-says[data-ready]")
    assert "a banana" in page.inner_text("#tl-model-says")


def test_what_cannot_be_had_is_told_where_it_is_missing(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    halted = {"state": "interrupted", "run": "gone", "resumable": True, "done": 0, "total": 0}
    page.route("**/transplant", lambda route: route.fulfill(json=halted))
    attention(page, server, made)
    page.click("#tl-transplant button.tl-primary")
    page.wait_for_selector("#tl-transplant .tl-alert")
    assert page.locator("#tl-transplant button.tl-primary").is_enabled()
    places = {"**/layers/4?*": "Entropy of the chosen layer", "**/truth?*": "Gallery",
              "**/gallery?*": "Gallery", "**/samples/*": "Sample inspector"}  # fmt: skip
    for pattern in places:
        refuse(page, pattern)
    page.locator("#tl-curve circle").nth(4).click()
    page.click("#tl-reveal")
    page.get_by_role("button", name="All", exact=True).click()
    page.locator("#tl-gallery .tl-tile").nth(5).click()
    for place in places.values():
        page.wait_for_selector(f"[aria-label='{place}'] .tl-alert")
    for pattern in places:
        page.unroute(pattern)
    page.locator("#tl-curve circle").nth(3).click()
    page.get_by_role("heading", name="Entropy, layer 3").wait_for()
    page.click("#tl-rule-code")
    page.wait_for_function("!document.querySelector('#attention .tl-alert[data-part]')")


def test_how_far_methods_agree_is_told_or_why_it_is_not(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    refuse(page, "**/agreement?*")
    refuse(page, "**/agreement/rows?*")
    attention(page, server, made)
    trouble = "#tl-agreement .tl-alert"
    page.wait_for_selector(trouble)
    page.unroute("**/agreement?*")
    page.evaluate(STORE % "{ finished: 'a run that ended' }")
    page.locator("#tl-agreement .tl-set").first.click()
    page.wait_for_selector(trouble)
    page.unroute("**/agreement/rows?*")
    page.locator("#tl-agreement .tl-set").first.click()
    page.wait_for_function("window.triggerlens.state.selection?.rows.size > 0")
    page.wait_for_selector(trouble, state="detached")


def test_a_resume_that_is_refused_says_so(page: Any, server: Server) -> None:
    def fail(_context: Any) -> dict[str, Any]:
        raise InputError("The disk is full.")

    case = home_cases.make_clip_case(server.cases / "resumed")
    with pytest.raises(InputError):
        execute(case.new_run("trigger-inversion", {}), fail)
    name = Workspace(server.cases).enter(case.folder)
    refuse(page, "**/resume")
    page.goto(f"{server.url}/?case={name}&tab=triggers")
    again = page.locator("#triggers").get_by_role("button", name="Try again")
    again.click()
    page.locator("#triggers .tl-alert", has_text="It is not there.").wait_for()
    assert again.is_enabled()


def test_what_a_button_could_not_do_stays_told(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    halted = {"run": "gone", "state": "failed", "error": "It broke.", "resumable": True}

    def with_trouble(route: Any) -> None:
        answer = route.fetch().json()
        next(line for line in answer["methods"] if line["base"])["trouble"] = halted
        route.fulfill(json=answer)

    def at_work(route: Any) -> None:
        answer = route.fetch().json()
        answer["status"] |= {"state": "running", "resumable": False}
        route.fulfill(json=answer)

    page.route("**/methods?*", with_trouble)
    refuse(page, "**/resume")
    refuse(page, "**/cancel")
    attention(page, server, made)
    page.route(f"**/runs/{made.run.id}", at_work)
    page.evaluate(STORE % f"{{ job: '{made.run.id}' }}")
    page.click("#tl-cancel")
    again = page.locator("#tl-methods button[aria-label^='Resume']")
    again.click()
    page.wait_for_selector("#tl-methods .tl-alert >> text=It is not there.")
    old = again.element_handle()
    page.evaluate(STORE % "{ finished: 'a run that ended' }")
    page.wait_for_function("old => !old.isConnected", arg=old)
    assert again.is_enabled()
    for place in ("#tl-methods .tl-alert", "#tl-job-problem"):
        assert "It is not there." in page.inner_text(place)
    for _ in range(2):
        with page.expect_response(f"**/runs/{made.run.id}"):
            pass  # the bar looks again and again
    assert "It is not there." in page.inner_text("#tl-job-problem")


def test_what_was_unfolded_and_scrolled_stays(
    page: Any, server: Server, made: SimpleNamespace
) -> None:
    page.goto(f"{server.url}/?case={made.name}&tab=case")
    page.click(".tl-hashes summary")
    page.locator("#case-summary").get_by_role("button", name="Table", exact=True).click()
    old = page.locator("#case-summary .tl-card").element_handle()
    page.evaluate(STORE % "{ finished: 'a run that ended' }")
    page.wait_for_function("card => !card.isConnected", arg=old)
    page.wait_for_selector("#case-summary .tl-hashes[open]")
    page.get_by_text("First samples of the data set").wait_for()
    attention(page, server, made)
    card = page.locator(".tl-card[aria-label='Samples × layers']")
    card.get_by_role("button", name="Table", exact=True).click()
    box = card.locator(".tl-table-wrap")
    box.focus()
    box.evaluate("node => node.scrollTo(0, 150)")
    page.evaluate(STORE % "{ rule: 'code', cut: null }")
    page.wait_for_selector("#attention .tl-root[data-ready*='/code/']")
    assert box.evaluate("node => [node.scrollTop, node === document.activeElement]") == [150, True]


def test_a_guess_outlives_the_commit_of_another_player(page: Any, server: Server) -> None:
    case = make_lesson(server.cases / "game", LessonPlan(samples=60, seed=5))
    draw_scan(case)
    for method in ("tune", "evaluate"):
        execute(case.new_run(method, {}), lambda _context: {})
    name = Workspace(server.cases).enter(case.folder)
    page.goto(f"{server.url}/?case={name}&tab=lab")
    page.fill("#tl-lab-guess-target", "A banana")
    page.locator("#tl-lab-grid input").first.check()
    page.click("#tl-lab-reveal")
    page.get_by_text("Reveal without a prediction?").wait_for()
    commit(case, Prediction(player="Bo", poisoned=False, where="nowhere"))
    away_and_back(page, "lab")
    page.get_by_text("Committed: Bo.").wait_for()
    assert page.input_value("#tl-lab-guess-target") == "A banana"
    assert page.locator("#tl-lab-grid input").first.is_checked()
    assert page.inner_text("#tl-lab-reveal") == "Reveal the truth"
    # A failure is no end: the same answer as before draws the cards again.
    refuse(page, "**/lab")
    away_and_back(page, "lab")
    page.get_by_text("The lab cannot be shown").wait_for()
    page.unroute("**/lab")
    away_and_back(page, "lab")
    page.get_by_text("Committed: Bo.").wait_for()

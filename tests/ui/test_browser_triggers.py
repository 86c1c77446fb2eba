"""The Triggers tab in a real browser: every class, a trigger on any picture, hostile names."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from forensics.ui.workspace import Workspace
from tests.tiny_encoders import save_vit
from tests.ui import synthetic
from tests.ui.drawn_triggers import HOSTILE, clip_case, write_inversion
from tests.ui.serving import CHROMIUM, Held, Server, Watched, chromium, leave

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MANY = [f"class number {k}" for k in range(998)] + list(HOSTILE)
# What was asked and answered last: run, class, picture, seed, strength.
SHOWN = "document.querySelector('#tl-apply').dataset.shown"
FEW = ["disc", "ring", "star", "heart", "cross"]
STORE = "import('/lens/core/store.js').then(({ set }) => set(%s))"
A_MOMENT = 300  # milliseconds: for what must not happen
ARM = {"label": "its trigger", "title": "its trigger", "role": "patch", "rate": 0.9, "low": 0.8,
       "high": 1.0, "n": 10, "flips": 9}  # fmt: skip
TESTED = {"run": "tested", "verdict": "suspicious", "sentence": "It works elsewhere.",
          "target": "ring", "arms": [ARM], "numbers": [], "facts": "", "examples": [],
          "limits": []}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[SimpleNamespace]:
    root = tmp_path_factory.mktemp("triggers")
    model = save_vit(root / "vit")
    space, made = Workspace(server.cases), SimpleNamespace(url=server.url)
    for name, classes, given in (
        ("many", MANY, {"planted": 999, "side": 4}), ("few", FEW, {"form": "mask"}),
    ):  # fmt: skip
        case = clip_case(root / name, model, classes[:3], count=8)
        setattr(made, f"{name}_run", write_inversion(case, classes, **given).id)
        setattr(made, name, space.enter(case.folder))
        setattr(made, f"{name}_case", case)
    made.language = space.enter(synthetic.make_case(root / "language", 12).folder)
    yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def watched(served: SimpleNamespace, browser: Any) -> Iterator[Watched]:
    found = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
    found.page.set_default_timeout(180_000)  # the first question loads a model
    yield found
    for case in (served.many_case, served.few_case):
        leave(found.page, case)
    found.page.close()
    assert found.problems == [] and found.foreign() == []


def visit(watched: Watched, served: SimpleNamespace, name: str) -> Any:
    page = watched.page
    page.goto(f"{served.url}/?case={name}&tab=triggers")
    page.wait_for_selector("#triggers .tl-root[data-ready]")
    return page


def shown(page: Any) -> list[str]:
    return [text[1:].strip() for text in page.locator("#tl-classes tbody th").all_inner_texts()]


def test_a_thousand_classes_sort_page_and_stay_text(
    watched: Watched, served: SimpleNamespace
) -> None:
    page = visit(watched, served, served.many)
    assert shown(page)[0] == HOSTILE[1]  # the planted one stands out most
    assert HOSTILE[1] in page.inner_text("#tl-trigger-sentence")
    assert "page 1 of 84" in page.inner_text("#tl-classes .tl-pager")
    page.click(".tl-tb-sort[data-sort=name]")
    assert set(shown(page)[:2]) == set(HOSTILE)
    page.click(".tl-tb-sort[data-sort=success]")
    success = page.locator("#tl-classes tbody td:nth-child(3)").all_inner_texts()
    assert success == sorted(success, key=lambda text: -int(text.split()[-2]))
    heading = page.locator("#tl-classes th[aria-sort=descending]").inner_text()
    assert heading.startswith("Success")
    assert page.locator("#tl-trigger-grid .tl-tile").count() == len(success)

    page.locator("#tl-classes tbody button").first.focus()
    page.keyboard.press("ArrowDown")
    second = page.locator("#tl-classes tr[data-shown=true]").get_attribute("data-index")
    assert page.evaluate("window.triggerlens.state.trigger") == int(second)
    page.keyboard.press("PageDown")
    assert "page 2 of 84" in page.inner_text("#tl-classes .tl-pager")

    page.fill("#tl-class-find", "onerror")
    assert shown(page) == [HOSTILE[0]]
    page.click("#tl-classes tbody tr")
    page.wait_for_function(
        "text => document.querySelector('#tl-apply-title').textContent.startsWith(text)",
        arg=HOSTILE[0],
    )
    page.wait_for_selector("#tl-seeds .tl-seed")
    page.click("#tl-classes .tl-card-head button")  # all numbers, as a table
    assert page.locator("#tl-classes .tl-table tbody tr").count() == 1
    assert page.locator("img[src=x]").count() == 0, "a class's name is never markup"
    page.reload()
    page.wait_for_selector("#triggers .tl-root[data-ready]")
    assert page.inner_text("#tl-apply-title").startswith(HOSTILE[0]), "the address keeps the class"
    assert HOSTILE[0] in shown(page), "and the page that it is on is turned up"


def test_a_trigger_is_put_on_any_picture(watched: Watched, served: SimpleNamespace) -> None:
    page = visit(watched, served, served.few)
    assert shown(page)[0] == "ring"
    page.wait_for_selector("#tl-apply[data-shown]")
    answers = "[...document.querySelectorAll('#tl-tops ol')].map((list) => list.innerText)"
    before, after = page.evaluate(answers)
    assert before != after
    painted = int(page.get_attribute("#tl-wipe", "data-ready"))
    page.focus("#tl-strength")
    page.keyboard.press("Home")
    page.wait_for_function(f"+document.querySelector('#tl-wipe').dataset.ready > {painted}")
    page.wait_for_function(f"{SHOWN}.endsWith(' 0')")
    assert len(set(page.evaluate(answers))) == 1, "without strength nothing changes"
    page.keyboard.press("End")
    page.wait_for_function(f"{SHOWN}.endsWith(' 1')")

    page.click(".tl-segmented[aria-label='How triggers are shown'] button[data-value=image]")
    tile = page.locator("#tl-trigger-grid img").first
    assert "row=0" in tile.get_attribute("src")
    page.click("#tl-film-next")
    page.wait_for_function(
        "document.querySelector('#tl-apply').dataset.shown.split(' ')[2] === '1'"
    )
    assert "row=1" in page.locator("#tl-trigger-grid img").first.get_attribute("src")
    page.click("#tl-seeds .tl-seed[data-place='2']")
    page.wait_for_function(
        "document.querySelector('#tl-apply').dataset.shown.split(' ')[3] === '2'"
    )

    page.click("#tl-show-looks")
    page.wait_for_selector("#tl-looks-layer")
    words = page.inner_text("#tl-looks")
    assert "of the attention lies elsewhere" in words
    page.focus("#tl-looks-layer")
    page.keyboard.press("Home")
    assert page.inner_text("#tl-looks") != words
    page.click(".tl-segmented[aria-label='How the pictures are shown'] button[data-value=side]")
    assert page.locator("#tl-wipe-at").is_hidden()
    assert "with the trigger" in page.locator("#tl-wipe canvas").nth(1).get_attribute("aria-label")
    assert "below 0" in page.inner_text("#tl-convergence").lower()
    assert page.locator("#tl-graft-start").inner_text() == "Test the trigger of “ring”"


def test_an_answer_about_another_class_is_not_drawn(
    watched: Watched, served: SimpleNamespace
) -> None:
    page = watched.page
    first, second = Held(page, "**/triggers/1/apply"), Held(page, "**/triggers/0/apply")
    with page.expect_request("**/triggers/1/apply"):
        visit(watched, served, served.few)
    page.click("#tl-classes tr[data-index='0']")
    page.wait_for_function("document.querySelector('#tl-apply-title').textContent.includes('disc')")
    with page.expect_request("**/triggers/0/apply"):
        first.release()
    page.wait_for_timeout(A_MOMENT)
    assert page.get_attribute("#tl-apply", "data-shown") is None
    second.release()
    page.wait_for_function(f"{SHOWN}?.split(' ')[1] === '0'")


def test_what_follows_a_scan_outlives_a_failure_and_asks_no_other_case(
    watched: Watched, served: SimpleNamespace
) -> None:
    page, about = watched.page, "**/triggers/about/transplant"
    page.route("**/apply", lambda route: route.abort())  # no model is needed here
    page.route(about, lambda route: route.fulfill(json={"view": TESTED}))
    visit(watched, served, served.few)
    page.wait_for_selector("#tl-graft-said")
    page.unroute(about)
    page.route(about, lambda route: route.fulfill(status=404, json={"error": "It is gone."}))
    page.evaluate(STORE % "{ finished: 'one run' }")
    page.wait_for_selector("#tl-graft >> text=It is gone.")
    page.unroute(about)
    page.route(about, lambda route: route.fulfill(json={"view": TESTED}))
    page.evaluate(STORE % "{ finished: 'another run' }")
    page.wait_for_selector("#tl-graft-said")
    page.evaluate(STORE % f"{{ case: '{served.language}' }}")
    page.wait_for_selector("#triggers >> text=Not applicable here")
    page.wait_for_timeout(A_MOMENT)
    assert not [url for url in watched.requests
                if f"/{served.language}/runs/{served.few_run}" in url]  # fmt: skip
    watched.problems.clear()  # what was refused above


def test_pressed_controls_keep_the_focus_when_they_are_drawn_anew(
    watched: Watched, served: SimpleNamespace
) -> None:
    page = watched.page
    page.route("**/apply", lambda route: route.abort())
    visit(watched, served, served.many)
    held = "document.activeElement.ariaLabel ?? document.activeElement.dataset.value"
    for control, after in (
        ("#tl-trigger-gallery [data-value=image]", "image"),
        ("#tl-classes [aria-label='Next page']", "Next page"),
        ("#tl-classes [aria-label='Last page']", "Previous page"),  # nothing follows the last one
        ("#triggers .tl-film [data-row='3']", "Picture 4, data-4"),
    ):
        page.focus(control)
        old = page.locator(control).element_handle()
        page.keyboard.press("Enter")
        page.wait_for_function("old => !old.isConnected || old.ariaPressed === 'true'", arg=old)
        page.wait_for_timeout(A_MOMENT)
        assert page.evaluate(held) == after
    watched.problems.clear()  # what was refused above


def test_a_language_model_has_no_triggers_of_classes(
    watched: Watched, served: SimpleNamespace
) -> None:
    page = watched.page
    page.goto(f"{served.url}/?case={served.language}&tab=triggers")
    page.wait_for_selector("#triggers .tl-empty")
    assert "Not applicable here" in page.inner_text("#triggers")
    page.click("#triggers .tl-empty button")
    page.wait_for_selector("#tl-methods:not([hidden])")

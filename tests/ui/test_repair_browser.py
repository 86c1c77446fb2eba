"""The Repair tab in a real browser, on drawn repairs with hostile names in every place."""

from typing import Any

import pytest

from forensics.case import Case
from forensics.runs.losses import LossLog
from forensics.ui.workspace import Workspace
from tests.tiny_encoders import save_vit
from tests.ui import synthetic
from tests.ui.drawn_language_repairs import write_language_repair
from tests.ui.drawn_repairs import write_repair
from tests.ui.drawn_triggers import HOSTILE, clip_case
from tests.ui.serving import CHROMIUM, Server, Watched, chromium

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CLASSES = ["disc", HOSTILE[1], "star", HOSTILE[0]]
TAB = "#repair .tl-root[data-ready]"
STORE = "import('/lens/core/store.js').then(({ set }) => set(%s))"


@pytest.fixture(scope="module")
def repaired(server: Server) -> tuple[str, Case]:
    root = server.cases / "repaired"
    case = clip_case(root, save_vit(root / "vit"), CLASSES)
    write_repair(case, CLASSES, rate=0.4, accuracy=0.93, shots=f"imagefolder:/{HOSTILE[0]}")
    write_repair(case, CLASSES, "linear-probe", judged_by=None)
    write_repair(case, CLASSES, "token-unlearning", rate=0.02, accuracy=0.92)
    return Workspace(server.cases).enter(case.folder), case


@pytest.fixture(scope="module")
def unrepaired(server: Server) -> str:
    root = server.cases / "unrepaired"
    clip = clip_case(root, save_vit(root / "vit"), ["disc", "ring"])
    return Workspace(server.cases).enter(clip.folder)


def test_a_repair_that_cannot_be_read_leaves_the_others_within_reach(
    server: Server, repaired: tuple[str, Case], unrepaired: str
) -> None:
    name, case = repaired
    broken, sound = (case.runs(name)[0].id for name in ("repulsive-prompts", "token-unlearning"))
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        detail = f"**/runs/{broken}/repair"
        page.route(detail, lambda route: route.fulfill(status=404, json={"error": "It is gone."}))
        page.goto(f"{server.url}/?case={name}&tab=repair&repair={broken}")
        page.wait_for_selector("#tl-rp-figures >> text=It is gone.")
        focus_stays(page, sound)
        page.unroute(detail)
        page.click(f"#tl-rp-open-{broken}")
        page.wait_for_selector(f"#tl-rp-said[data-run='{broken}']")
        # What was chosen for one case is not chosen for another one.
        page.click("#tl-rp-picker > summary")
        page.click("#tl-rp-method-trigger-tuning")
        page.wait_for_selector("#tl-rp-why-not")
        page.evaluate(STORE % f"{{ case: '{unrepaired}' }}")
        page.wait_for_selector("#repair >> text=No repair yet.")
        chosen = page.get_attribute("#tl-rp-methods", "aria-activedescendant")
        assert chosen != "tl-rp-method-trigger-tuning"
        assert page.locator("#tl-rp-why-not").count() == 0
        assert not [url for url in watched.requests if f"/cases/{unrepaired}/runs/" in url]
        assert all("404" in said for said in watched.problems)  # what was refused


def focus_stays(page: Any, run: str) -> None:
    """Open a repair and choose what its cards show by keys: what is pressed keeps the focus."""
    held = "(({ id, dataset, title }) => [id, dataset.value, title])(document.activeElement)"
    for control in (
        f"#tl-rp-open-{run}",
        "#tl-rp-resistivity [data-value=blur]",
        "#tl-rp-examples .tl-tile >> nth=1",
        "#tl-rp-examples [data-value=plain]",
    ):
        page.focus(control)
        before = page.evaluate(held)
        page.keyboard.press("Enter")
        page.wait_for_selector("#tl-rp-resistivity[data-ready]")
        page.wait_for_selector("#tl-rp-examples[data-ready]")
        assert page.evaluate(held) == before, control
        pressed = "document.activeElement.closest('[data-shown=true], [aria-pressed=true]')"
        page.wait_for_function(pressed)
    letters = page.locator(".tl-rp-letter")
    letters.nth(0).focus()
    words = letters.nth(0).get_attribute("aria-label")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".tl-rp-letter-shown[aria-label='{words}']")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == words
    page.click(f"#tl-rp-open-{run}")
    page.wait_for_selector(f"#tl-rp-said[data-run='{run}']")


def test_hostile_names_are_text_in_every_figure(server: Server, repaired: tuple[str, Case]) -> None:
    name, case = repaired
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        page.set_default_timeout(400_000)  # a busy machine
        page.goto(f"{server.url}/?case={name}&tab=repair")
        page.wait_for_selector(TAB)
        for card in ("examples", "plane", "resistivity", "tokens"):
            page.wait_for_selector(f"#tl-rp-{card}[data-ready]")
        assert "turned and mirrored" in page.inner_text("#tl-rp-turned")
        for card in ("classes", "tokens", "examples"):
            assert HOSTILE[0][:12] in page.inner_text(f"#tl-rp-{card}"), card  # names are cut
        assert HOSTILE[0] in page.inner_text("#tl-rp-said")
        assert page.locator("#repair img[src=x]").count() == 0
        page.locator("#tl-rp-classes button", has_text="Table").click()
        assert HOSTILE[1] in page.inner_text("#tl-rp-classes")
        compare_them(page, case)
        follow_one(page, f"{server.url}/?case={name}&tab=repair", case)
        assert watched.problems == [] and watched.foreign() == []


def compare_them(page: Any, case: Case) -> None:
    """Open every repair, by the row and by the letter, and look at what is not measured."""
    table = page.locator("#tl-rp-table")
    assert "not measured" in table.inner_text()
    weak = case.runs("repulsive-prompts")[0].id
    page.click(f"#tl-rp-table [data-run='{weak}'] .tl-tb-name")
    page.wait_for_selector(f"#tl-rp-said[data-run='{weak}']")
    assert "repair=" in page.evaluate("location.href")
    letters = page.locator(".tl-rp-letter")
    assert letters.count() == 2, "what was not measured has no place in the chart"
    letters.nth(0).focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"document.querySelector('#tl-rp-said').dataset.run !== '{weak}'")
    lone = case.runs("linear-probe")[0].id
    page.click(f"#tl-rp-table [data-run='{lone}'] .tl-tb-name")
    page.wait_for_selector(f"#tl-rp-said[data-run='{lone}']")
    assert "No trigger is known" in page.inner_text("#tl-rp-rates")
    page.click("#tl-rp-picker > summary")
    page.focus("#tl-rp-methods")
    page.click("#tl-rp-method-trigger-tuning")
    assert "no learnt prompts" in page.inner_text("#tl-rp-why-not")
    page.keyboard.press("Home")
    page.wait_for_selector("#tl-rp-cost")
    assert "RVPT" in page.inner_text("#tl-rp-detail h3"), "what can start comes first"
    assert page.locator("#tl-rp-start").is_disabled(), "this case has no labelled pictures"
    page.click("#tl-rp-options")
    page.wait_for_selector("#start-repulsive-prompts", state="visible")
    assert not page.locator("#run-trigger-inversion").is_visible(), "repairs only"


def follow_one(page: Any, address: str, case: Case) -> None:
    """Look at a repair that waits and has told its loss before; cancel it."""
    run = case.new_run("repulsive-prompts", {"epochs": 7, "shots": HOSTILE[1]})
    log = LossLog(run.folder)
    for step in range(1, 4):
        log.note(f"step {step} of 3, loss {1 / step:.3f}")
    page.goto(address)
    page.wait_for_selector(f"#tl-rp-running[data-run='{run.id}']", state="visible")
    page.wait_for_selector("#tl-rp-running .tl-rp-line")
    assert HOSTILE[1] in page.inner_text("#tl-rp-running")
    page.click("#tl-rp-cancel")
    page.wait_for_selector("#tl-rp-resume")
    assert run.status().state == "cancelled"
    assert "cancelled" in page.inner_text("#tl-rp-running")
    assert page.locator("#tl-rp-said").count() == 1, "the finished ones stay in view"


def test_answers_of_language_models_are_text_in_every_card(server: Server) -> None:
    case = synthetic.make_case(server.cases / "answers", 40, base=True)
    scan = synthetic.scan(case)
    for weight, rate in ((0.0, 0.9), (0.5, 0.3)):
        shuffled = write_language_repair(
            case, "cross-view", weight=weight, rate=rate, epochs=2.0, fill="shuffle"
        )
    run = write_language_repair(case, scan=scan.id, texts=HOSTILE, notice=True, start="suspicious")
    name = Workspace(server.cases).enter(case.folder)
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 390, "height": 844}))
        page = watched.page
        page.set_default_timeout(400_000)  # a busy machine
        page.goto(f"{server.url}/?case={name}&tab=repair")
        page.wait_for_selector(f"#tl-rp-said[data-run='{run.id}']")
        for card in ("views", "examples", "divergence"):
            page.wait_for_selector(f"#tl-rp-{card}[data-ready='{run.id}']")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, "a phone has no width"
        look_at_answers(page)
        assert page.locator(".tl-rp-letter").count() == 3
        assert page.locator(".tl-rp-lambda").count() == 1, "two runs differ in the weight alone"
        assert page.locator(".tl-rp-weight").all_text_contents() == ["A: λ 0", "B: λ 0.5"]
        assert "ordinary tuning" not in page.inner_text("#tl-rp-frontier"), "the entropy counts"
        choose_a_scan(page, scan.id)
        page.keyboard.press("Escape")
        page.click(f"#tl-rp-open-{shuffled.id}")
        page.wait_for_selector(f"#tl-rp-views[data-ready='{shuffled.id}']")
        assert "parts replaced by other parts" in page.inner_text("#tl-rp-views")
        assert "parts hidden" not in page.inner_text("#tl-rp-views").lower()
        page.wait_for_selector(f"#tl-rp-divergence[data-ready='{shuffled.id}']")
        assert "replaced by other parts of it" in page.inner_text("#tl-rp-divergence")
        assert watched.problems == [] and watched.foreign() == []


def look_at_answers(page: Any) -> None:
    """Both warnings, answers with and without the trigger, and what was left out."""
    assert "keep the backdoor" in page.inner_text("#tl-rp-suspicious")
    assert "see masks" in page.inner_text("#tl-rp-switch")
    assert page.locator("#tl-rp-measures tr[data-measure]").count() == 7
    assert "24 were left out" in page.inner_text("#tl-rp-left")
    assert "▲" in page.inner_text("#tl-rp-views tr[data-state=before]")
    page.click("#tl-rp-views button[data-value=plain]")
    assert "✓" in page.inner_text("#tl-rp-views tr[data-state=before]")
    assert HOSTILE[0] in page.inner_text("#tl-rp-views tr[data-state=after]")
    assert HOSTILE[1] in page.inner_text("#tl-rp-views")
    assert page.locator("#repair img[src=x]").count() == 0
    assert page.locator("#tl-rp-divergence .tl-rp-hist svg").count() == 6
    page.locator("#tl-rp-views .tl-tile").nth(1).click()
    for card in ("views", "examples"):
        assert f"{HOSTILE[1]}-1" in page.inner_text(f"#tl-rp-{card}"), "one choice for both"


def choose_a_scan(page: Any, scan: str) -> None:
    """A scan is written into the form with a click, and a bad start is warned of."""
    page.click("#tl-rp-picker > summary")
    page.click("#tl-rp-method-filter-retune")
    page.click("#tl-rp-options")
    page.wait_for_selector("#start-filter-retune", state="visible")
    page.click("#about-filter-retune .tl-about-scans button")
    assert page.input_value("#option-filter-retune-run :is(input, textarea)") == scan
    warning = page.locator("#about-filter-retune .tl-alert")
    assert not warning.is_visible()
    page.locator("#option-filter-retune-start label", has_text="keeps the backdoor").click()
    warning.wait_for(state="visible")


def test_what_stands_there_before_anything_is_repaired(server: Server, unrepaired: str) -> None:
    language = synthetic.make_case(server.cases / "language", 8)
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1024, "height": 900}))
        page = watched.page
        page.set_default_timeout(400_000)  # a busy machine
        page.goto(f"{server.url}/?tab=repair")
        page.wait_for_selector("#repair .tl-empty:has-text('No case is open.')")
        page.goto(f"{server.url}/?case={unrepaired}&tab=repair")
        page.wait_for_selector(TAB)
        assert "No repair yet." in page.inner_text("#repair")
        assert page.locator("#tl-rp-methods [role=option]").count() >= 9
        assert "attack success is not" in page.inner_text("#tl-rp-detail")
        page.goto(f"{server.url}/?case={Workspace(server.cases).enter(language.folder)}&tab=repair")
        page.wait_for_selector("#tl-rp-method-filter-retune")
        assert "no base model" in page.inner_text("#tl-rp-detail")
        assert page.locator("#tl-rp-start").is_disabled()
        assert page.locator("#tl-rp-options").is_disabled()
        assert watched.problems == []

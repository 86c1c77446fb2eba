"""The app in a real Chromium, from a real server; where a model is asked, by a real worker."""

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.errors import InputError
from forensics.lab.demos import find_demo
from forensics.runs import State
from forensics.ui.forms.preload import FIRST
from forensics.ui.workspace import Workspace
from tests.ui import synthetic
from tests.ui.serving import CHROMIUM, Server, Watched, chromium, leave
from tests.ui.test_masked_views import compared

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COUNT = 600
POISONED = COUNT // 10
PAYLOADS = (
    "<img src=x onerror=\"document.body.setAttribute('pwned','1')\">",
    "${document.body.setAttribute('pwned','2')}",
    "{{value}}<script>document.body.setAttribute('pwned','3')</script>",
    "\"><svg onload=\"document.body.setAttribute('pwned','4')\">",
)


@pytest.fixture(scope="module")
def drawn(server: Server) -> str:
    """A case with a finished scan that needs no model; its id."""
    case = synthetic.make_case(server.cases / "drawn", COUNT)
    synthetic.scan(case)
    return Workspace(server.cases).enter(case.folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    """A fresh page; whatever a test does, nothing leaves this machine and nothing breaks."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    seen = Watched(context.new_page())
    yield seen
    context.close()
    assert seen.foreign() == []
    assert seen.problems == []


def open_attention(watched: Watched, server: Server, case: str, **more: Any) -> Any:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    watched.page.goto(f"{server.url}/?case={case}&tab=attention{extra}")
    watched.page.wait_for_selector("#attention .tl-root[data-ready]")
    watched.page.wait_for_selector("#tl-gallery .tl-tile")
    return watched.page


def fetched_ahead(watched: Watched) -> None:
    """Wait for the modules of the other tabs, which the page asks for when it is idle."""
    listed = "[...document.querySelectorAll('link[rel=modulepreload]')].map(link => link.href)"
    watched.page.wait_for_selector(f"link[href$='{FIRST['lab'][0]}']", state="attached")
    end = time.monotonic() + 60
    while not set(watched.page.evaluate(listed)) <= set(watched.requests):
        assert time.monotonic() < end, "Modules are listed that nobody asks for."
        watched.page.wait_for_timeout(50)


def number(page: Any, selector: str) -> int:
    return int(page.inner_text(selector).replace(",", ""))


def test_the_attention_tab_shows_curve_histograms_map_gallery_and_sample(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    assert "banana alert" in page.inner_text("#tl-sentence")
    assert "suspicious" in page.inner_text("#tl-chip")
    assert page.locator("#tl-curve circle").count() == synthetic.LAYERS
    assert page.locator("#tl-curve .tl-dot-pass").count() == len(synthetic.SENSITIVE)
    for figure in ("#tl-entropy", "#tl-scores"):
        assert page.locator(f"{figure} .tl-gauss").count() == 2
        assert page.locator(f"{figure} .tl-bar-flag").count() > 3
    page.wait_for_selector("#tl-map[data-ready]")
    assert number(page, "#tl-gallery-count b") == POISONED
    page.wait_for_selector(".tl-stage[data-ready]")
    assert page.locator("#tl-multiples .tl-small").count() == synthetic.LAYERS
    for figure in ("#tl-curve svg", "#tl-entropy svg", "#tl-scores svg", "#tl-map", "#tl-picture"):
        assert len(page.get_attribute(figure, "aria-label")) > 30


def test_clicking_a_layer_changes_histogram_inspector_and_link(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    page.locator("#tl-curve circle").nth(4).click()
    page.wait_for_function("document.querySelector('#tl-layer').value === '4'")
    page.get_by_role("heading", name="Entropy, layer 4").wait_for()
    assert "layer=4" in page.evaluate("location.href")
    page.locator("#tl-curve").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name="Entropy, layer 3").wait_for()


def test_dragging_the_cut_recounts_at_once_and_is_recorded_on_release(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    assert number(page, "#tl-flagged") == POISONED
    handle = page.locator("#tl-scores .tl-cut rect")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = len(watched.requests)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 95, y, steps=5)
    page.wait_for_function("document.querySelector('#tl-flagged').textContent !== '60'")
    dragged = watched.requests[before:]
    assert not [url for url in dragged if url.endswith("/cut")]  # nothing is told while dragging
    with page.expect_response(re.compile("/cut$")) as recorded:
        page.mouse.up()
    moved = number(page, "#tl-flagged")
    assert moved > POISONED
    assert recorded.value.json()["flagged"] == moved
    assert moved + number(page, "#tl-kept") == COUNT
    assert "moved by hand" in page.inner_text("#tl-counts")
    page.reload()
    page.wait_for_selector("#tl-flagged")
    page.wait_for_function("document.querySelector('#tl-counts').textContent.includes('by hand')")
    assert number(page, "#tl-flagged") == moved
    page.click("#tl-cut-reset")
    page.wait_for_function("document.querySelector('#tl-flagged').textContent === '60'")


def test_moving_tau_fits_anew_and_can_leave_nothing(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    page.evaluate("""() => { const tau = document.querySelector('#tl-tau'); tau.max = '99';
        tau.value = '50'; tau.dispatchEvent(new Event('change')); }""")
    page.get_by_text("No layer passes the gate, so there is no score").wait_for()
    assert "No evidence" in page.inner_text("#tl-sentence")
    page.get_by_role("button", name="back to 2.0").click()
    page.wait_for_function("document.querySelector('#tl-sentence').innerText.includes('banana')")
    page.click("[data-rule=code]")
    page.wait_for_selector("[data-rule=code][aria-pressed=true]")
    assert "rule=code" in page.evaluate("location.href")
    assert number(page, "#tl-flagged") == POISONED


def test_a_brush_and_a_bar_select_samples_for_the_gallery(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    figure = page.locator("#tl-entropy")
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, box["y"] + 150, steps=4)
    page.mouse.up()
    page.wait_for_selector("#tl-clear")
    brushed = number(page, "#tl-gallery-count b")
    assert 0 < brushed <= POISONED
    page.keyboard.press("Escape")
    page.wait_for_selector("#tl-clear", state="detached")
    canvas = page.locator("#tl-map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 30 + (box["width"] - 24) / 2, box["y"] + 30, steps=4)
    page.mouse.up()
    page.get_by_text(re.compile(r"selected: ranks")).wait_for()
    assert abs(number(page, "#tl-gallery-count b") - COUNT / 2) < COUNT / 10


def test_opacity_and_layer_sliders_ask_the_server_for_nothing(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    page.wait_for_selector(".tl-stage[data-ready]")
    fetched_ahead(watched)
    before = len(watched.requests)
    page.locator("#tl-opacity").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.querySelector('#tl-heat').style.opacity") == "0.5"
    assert [url for url in watched.requests[before:] if not url.endswith("/alive")] == []
    page.locator("#tl-layer").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#tl-layer').value === '3' || true")
    live = [url for url in watched.requests[before:] if "/live/" in url]
    assert live == []


def test_arrow_keys_walk_through_the_samples_and_the_link_leads_back(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    first = page.get_attribute("#tl-inspector", "data-row")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"document.querySelector('#tl-inspector').dataset.row !== '{first}'")
    second = page.get_attribute("#tl-inspector", "data-row")
    page.reload()
    page.wait_for_function(f"document.querySelector('#tl-inspector')?.dataset.row === '{second}'")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"document.querySelector('#tl-inspector').dataset.row === '{first}'")


def test_ground_truth_is_fetched_only_on_reveal(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    assert not [url for url in watched.requests if re.search(r"/truth(\?|$)", url)]
    assert page.locator(".tl-badge-truth").count() == 0
    page.click("#tl-reveal")
    page.wait_for_selector(".tl-badge-truth")
    assert "precision 100.0 %, recall 100.0 %" in page.inner_text("#tl-truth-score")
    page.click("#tl-reveal")
    page.wait_for_selector(".tl-badge-truth", state="detached")


def test_kept_ids_are_exported_as_the_page_counts_them(
    watched: Watched, server: Server, drawn: str, tmp_path: Path
) -> None:
    page = open_attention(watched, server, drawn)
    page.click("#tl-export > summary")
    with page.expect_download() as download:
        page.click("#tl-export-kept-csv")
    target = tmp_path / "kept.csv"
    download.value.save_as(target)
    with target.open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == COUNT - POISONED
    assert {row["decision"] for row in rows} == {"keep"}


def test_every_figure_has_a_table_and_the_theme_can_be_changed(
    watched: Watched, server: Server, drawn: str
) -> None:
    page = open_attention(watched, server, drawn)
    for place in range(4):
        page.locator("#attention .tl-ghost", has_text=re.compile("^Table$")).nth(place).click()
    page.wait_for_function("document.querySelectorAll('#attention .tl-table').length === 4")
    page.click("#tl-theme")
    assert "dark" in page.evaluate("document.body.className")
    page.reload()
    page.wait_for_selector("#tl-theme")
    page.wait_for_function("document.body.classList.contains('dark')")


def test_masked_views_stand_as_dots_that_open_their_samples(
    watched: Watched, server: Server
) -> None:
    case = synthetic.make_case(server.cases / "masked", 40)
    scan = synthetic.scan(case)
    compared(case, scan.id)
    name = Workspace(server.cases).enter(case.folder)
    page = open_attention(watched, server, name, view="masked-views")
    page.wait_for_selector("#tl-method-panel[data-ready]")
    assert (
        page.locator("#tl-masked circle").count() == 2 * 2
    )  # the one that was not read is left out
    page.locator("#tl-masked .tl-strip-kept").first.click()
    page.wait_for_function("window.triggerlens.state.sample === 3")
    page.wait_for_selector("#tl-masked .tl-strip-chosen.tl-strip-kept")
    page.locator("#tl-masked .tl-table .tl-link").click()
    page.wait_for_function("window.triggerlens.state.sample === 1")


def test_hostile_texts_stay_texts_on_every_screen(watched: Watched, server: Server) -> None:
    def texts(index: int) -> tuple[str, str, str]:
        payload = PAYLOADS[index % len(PAYLOADS)]
        return f"{index} {payload}", f"look {payload}", f"{index % 37} {payload}"

    case = synthetic.make_case(
        server.cases / "hostile <b>x", 240, texts=texts, title=PAYLOADS[0] + PAYLOADS[1],
        file_name="p<img src=x onerror=alert(1)>${1}",
    )  # fmt: skip
    synthetic.scan(case)
    broken = case.folder.parent / f"{case.folder.name}-source" / "data.json"
    name = Workspace(server.cases).enter(_with_row_errors(case, broken, server))
    page = watched.page
    page.goto(f"{server.url}/?case={name}")
    page.wait_for_selector("#case-summary .tl-preview figure")
    page.wait_for_selector("#tl-row-errors")
    page.click("#tl-row-errors summary")
    assert PAYLOADS[1] in page.inner_text("#case-summary")
    name = Workspace(server.cases).enter(case.folder)
    open_attention(watched, server, name)
    page.wait_for_selector(".tl-stage[data-ready]")
    assert "onerror" in page.inner_text("#tl-inspector")
    page.hover("#tl-map")
    page.click("#tl-reveal")
    page.locator("#tl-gallery .tl-tile").nth(3).click()
    for place in range(4):
        page.locator("#attention .tl-ghost", has_text=re.compile("^Table$")).nth(place).click()
    page.click("#tl-export > summary")
    page.locator("#tab-case-button").click()
    page.wait_for_selector("#case-summary .tl-preview figure")
    assert page.evaluate("document.body.getAttribute('pwned')") is None
    assert page.title() == f"{PAYLOADS[0] + PAYLOADS[1]} · TriggerLens"


def _with_row_errors(case: Case, data: Path, server: Server) -> Path:
    """Make a case whose data has rows in error that carry payloads too."""
    rows = json.loads(data.read_text())[:40]
    rows[3]["image"] = "images/${document.body.setAttribute('pwned','5')}<img src=x onerror=a()>"
    rows[5].pop("conversations")
    copy = data.with_name("broken.json")
    copy.write_text(json.dumps(rows))
    made = Case.create(
        server.cases / "broken", model=case.manifest.model, data=f"llava:{copy}",
        title=PAYLOADS[2], story=PAYLOADS[3],
    )  # fmt: skip
    assert made.manifest.errors >= 1
    return made.folder


def test_wrong_input_and_unknown_cases_get_a_message(watched: Watched, server: Server) -> None:
    page = watched.page
    page.goto(f"{server.url}/?case=never-opened-123456")
    page.get_by_text("This server knows no case of that name.").first.wait_for()
    page.wait_for_load_state("networkidle")
    watched.problems.clear()  # the 404 itself is noted by the browser's console
    page.goto(f"{server.url}/?tab=case")
    page.get_by_text("Nothing is open yet").wait_for()
    page.get_by_role("button", name="Open a case").click()  # the way on leads to Home
    page.get_by_text("Your own model and data").click()
    page.fill("#own-model input, #own-model textarea", "/no/such/model")
    page.fill("#own-data input, #own-data textarea", "/no/such/data.json")
    page.click("#own-make")
    page.wait_for_selector("#bridge [role=alert]")
    assert "/no/such" in page.inner_text("#bridge")


def _shipped() -> bool:
    try:
        return find_demo("vlm-patch").shipped
    except InputError:  # no assets at all
        return False


@pytest.mark.skipif(not _shipped(), reason="the demo's weights are not there")
def test_the_demo_is_opened_scanned_and_solved(watched: Watched, server: Server) -> None:
    page = watched.page
    page.goto(server.url)
    card = page.locator(".tl-demo", has=page.locator("#tl-demo-vlm-patch"))
    assert "attack" not in card.inner_text().lower()  # what was planted stays folded away
    page.click("#tl-demo-vlm-patch")
    page.wait_for_selector("#case-summary .tl-preview img", timeout=180_000)
    page.wait_for_selector("#start-scan", state="visible")
    page.click("#scan-options")
    subset = "#option-attention-entropy-max-samples"
    page.fill(f"{subset} input, {subset} textarea", "400")
    page.click("#start-attention-entropy")
    case = Workspace(server.cases).case(page.evaluate("window.triggerlens.state.case"))
    try:
        page.wait_for_selector("#tl-jobbar[data-state=finished]", timeout=300_000)
        page.wait_for_selector("#tl-gallery .tl-tile")
        assert "suspicious" in page.inner_text("#tl-chip")
        page.wait_for_selector("#tl-patch-hidden[data-ready]", timeout=120_000)
        planted = find_demo("vlm-patch").planted
        assert planted is not None
        assert planted.target in page.inner_text("#tl-model-says")
        assert planted.target not in page.inner_text("#tl-patch-hidden")
        page.click("#tl-reveal")
        page.wait_for_selector(".tl-badge-truth")
    finally:
        leave(page, case)


def test_a_scan_survives_reload_cancel_resume_and_a_new_server(
    watched: Watched, server: Server, tiny_llava_folder: Path
) -> None:
    drawn_data = synthetic.make_case(server.cases / "to-scan-data", 2400).manifest.data
    case = Case.create(
        server.cases / "to-scan", model=str(tiny_llava_folder), data=drawn_data, title="To scan"
    )
    page = watched.page
    page.goto(server.url)
    page.get_by_text("A case folder that is already there").click()
    page.fill("#case-folder input, #case-folder textarea", str(case.folder))
    page.click("#case-enter")
    page.wait_for_selector("#start-scan", state="visible")
    page.wait_for_selector("#case-summary .tl-root[data-ready]")
    assert "first batch" in page.inner_text("#tl-estimate")
    page.click("#start-scan")
    try:
        page.wait_for_function(SCANNING, timeout=120_000)
        run = case.runs()[0]
        page.reload()  # mid-scan: the bar finds the run again
        page.wait_for_selector("#tl-jobbar[data-state]")
        assert run.id in page.evaluate("location.href")
        page.click("#tl-cancel")
        page.wait_for_selector("#tl-resume", timeout=60_000)
        assert run.status().state is State.CANCELLED
        assert run.status().done < 2400
        page.click("#tl-resume")
        page.wait_for_selector("#tl-jobbar[data-state=running]")
        server.stop()  # the worker does not care
        page.get_by_text("server does not answer").wait_for()
        with page.expect_navigation(timeout=120_000):  # the page finds the new server by itself
            server.start()
        page.wait_for_selector("#tl-jobbar[data-state=finished]", timeout=120_000)
        page.wait_for_selector("#tl-gallery .tl-tile")
        assert run.status().state is State.FINISHED
        _ask_the_model(page)
    finally:
        leave(page, case)
    # The browser notes refused connections of the moment without a server.
    watched.problems[:] = [p for p in watched.problems if "ERR_" not in p and "fetch" not in p]


def test_the_map_of_what_an_answer_depends_on_stands_beside_the_attention(
    watched: Watched, server: Server, tiny_llava_folder: Path
) -> None:
    data = synthetic.make_case(server.cases / "to-compare-data", 120).manifest.data
    case = Case.create(server.cases / "to-compare", model=str(tiny_llava_folder), data=data)
    scan = synthetic.scan(case)
    page = open_attention(watched, server, Workspace(server.cases).enter(case.folder))
    page.wait_for_selector(".tl-stage[data-ready]")
    try:
        assert page.locator("#tl-occlusion-picture").is_hidden()
        page.click("#tl-depends")
        page.wait_for_selector(".tl-depends[data-ready]", timeout=180_000)
        assert "of 64 views" in page.inner_text("#tl-dependence")
        assert "(reconstruction)" in page.inner_text(".tl-depends h3")
        left, right = (
            page.locator(f"#tl-{name}picture").bounding_box() for name in ("", "occlusion-")
        )
        assert abs(left["y"] - right["y"]) < 2 and left["x"] + left["width"] <= right["x"]
        page.hover("#tl-occlusion-heat")
        page.get_by_text(re.compile("when hidden")).wait_for()
        page.locator("#tl-opacity").focus()
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("document.querySelector('#tl-occlusion-heat').style.opacity") == "0.59"
        page.click("#tl-compare")
        page.wait_for_selector("#tl-strips[data-ready]", timeout=180_000)
        assert "12 candidates, 64 controls" in page.inner_text("#tl-strips")
        assert page.locator("#tl-strips circle").count() == 2 * (12 + 64)
        assert case.runs("masked-views")[0].options["run"] == scan.id
        first = page.get_attribute(".tl-depends", "data-ready")
        page.keyboard.press("Escape")
        page.click("#tl-next")  # the map follows the sample
        page.wait_for_function(
            f"(document.querySelector('.tl-depends').dataset.ready ?? '{first}') !== '{first}'"
        )
        page.click("#tl-depends")
        page.wait_for_selector("#tl-occlusion-picture", state="hidden")
    finally:
        leave(page, case)


SCANNING = """() => { const text = document.querySelector('#tl-job')?.textContent ?? '';
    return text.includes('samples/s'); }"""


def _ask_the_model(page: Any) -> None:
    """Ask for the answer, with and without the patch, and for single heads."""
    page.wait_for_selector("#tl-model-says[data-ready]", timeout=120_000)  # warm: asked by itself
    page.wait_for_selector("#tl-patch-hidden[data-ready]", timeout=60_000)
    before = page.evaluate(HEAT)
    page.locator("#tl-head").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"({HEAT}) !== {json.dumps(before)}", timeout=60_000)
    page.get_by_role("button", name="Patch hidden").click()
    page.wait_for_function("document.querySelector('.tl-note').hidden", timeout=60_000)


HEAT = "document.querySelector('#tl-heat').toDataURL()"

"""The Clusters tab in a real browser: lasso, gallery, export, keys, samples put aside."""

import csv
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forensics.ui.workspace import Workspace
from tests.clusters_case import scan
from tests.drawn_map import PLANTED, write_map
from tests.ui import synthetic
from tests.ui.serving import CHROMIUM, Server, Watched, chromium, leave

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COUNT, POISONED = 240, 24
HOSTILE = "<img src=x onerror=alert(1)>${alert(2)}"


def hostile(index: int) -> tuple[str, str, str]:
    name, question, answer = synthetic.plain_texts(index)
    return (HOSTILE, HOSTILE, HOSTILE) if index == 1 else (name, question, answer)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    root = tmp_path_factory.mktemp("map")
    case = synthetic.make_case(root / "cases" / "drawn", COUNT, texts=hostile)
    empty = synthetic.make_case(root / "cases" / "empty", 12)
    scan(case)
    # A new map from these options draws 14 samples: too few for UMAP, so that the test is quick.
    write_map(case, options={"features": "state", "max_samples": 14})
    server = Server(root / "cases", root / "server.log")
    server.start()
    space = Workspace(root / "cases")
    yield SimpleNamespace(case=case, server=server, name=space.enter(case.folder),
                          empty=space.enter(empty.folder))  # fmt: skip
    server.stop()


@pytest.fixture
def watched(served: SimpleNamespace) -> Iterator[Watched]:
    with chromium() as browser:
        found = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        found.page.goto(f"{served.server.url}/?case={served.name}&tab=clusters")
        found.page.wait_for_selector("#clusters .tl-root[data-ready]")
        found.page.wait_for_selector("#tl-umap[data-ready]")
        yield found
        assert found.problems == [] and found.foreign() == []


def corner(page: Any) -> tuple[float, float]:
    """Where the planted group lies on the screen: the upper right end of the map."""
    area = page.locator("#tl-umap").bounding_box()
    at = page.evaluate(
        "([x, y]) => { const m = window.triggerlens.map; const b = m.stage;"
        " return [(x - m.view.cx) * m.view.scale + b.clientWidth / 2,"
        " b.clientHeight / 2 - (y - m.view.cy) * m.view.scale]; }",
        PLANTED.tolist(),
    )
    return area["x"] + at[0], area["y"] + at[1]


def lasso(page: Any, radius: float = 70, *, shift: bool = False) -> None:
    x, y = corner(page)
    # From below: the group lies at the edge, and a lasso has to begin on the map.
    corners = [(x - radius, y + radius), (x - radius, y - radius), (x + radius, y - radius),
               (x + radius, y + radius)]  # fmt: skip
    if shift:
        page.keyboard.down("Shift")
    page.mouse.move(*corners[0])
    page.mouse.down()
    for place in [*corners[1:], corners[0]]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()
    if shift:
        page.keyboard.up("Shift")


def chosen(page: Any) -> int:
    page.wait_for_selector("#tl-umap-selection:not([inert]) #tl-umap-export-csv")
    return int(page.inner_text("#tl-umap-chosen"))


def test_a_lasso_fills_the_gallery_and_the_export_holds_exactly_it(
    watched: Watched, served: SimpleNamespace
) -> None:
    page = watched.page
    lasso(page)
    assert chosen(page) == POISONED
    assert page.locator("#tl-umap-gallery .tl-tile").count() == POISONED
    assert synthetic.TARGET in page.inner_text("#tl-umap-selection")
    with page.expect_download() as waited:
        page.click("#tl-umap-export-csv")
    with Path(waited.value.path()).open(encoding="utf-8", newline="") as stream:
        ids = {line["id"] for line in csv.DictReader(stream)}
    assert ids == {name for name, bad in served.case.truth().items() if bad}
    assert served.case.journal.entries("export")[-1].detail["rows"] == POISONED

    page.click("button[data-group='0']", modifiers=["Shift"])
    page.wait_for_function(f"+document.querySelector('#tl-umap-chosen')?.textContent > {POISONED}")
    page.click("#tl-umap-clear")
    page.wait_for_selector("#tl-umap-export-csv", state="detached")
    assert "Nothing is selected" in page.inner_text("#tl-umap-selection")


def test_hidden_points_are_not_selected_and_an_empty_lasso_says_so(watched: Watched) -> None:
    page = watched.page
    # Coloured by the scan's flags at first: hide the flagged ones.
    assert page.inner_text("#tl-umap-legend .tl-umap-key[data-code='1']").startswith("flagged")
    page.click("#tl-umap-legend .tl-umap-key[data-code='1']")
    lasso(page)
    said = "document.querySelector('#tl-umap-say').textContent"
    page.wait_for_function(f"{said}.includes('no visible')")
    assert page.locator("#tl-umap-export-csv").count() == 0
    page.click("#tl-umap-legend .tl-umap-key[data-code='1']")
    page.locator(".tl-segmented[aria-label='What dragging does'] button[data-value=box]").click()
    x, y = corner(page)
    page.mouse.move(x - 70, y + 70)
    page.mouse.down()
    page.mouse.move(x + 70, y - 70, steps=4)
    page.mouse.up()
    assert chosen(page) == POISONED


def test_keys_walk_select_and_clear(watched: Watched) -> None:
    page = watched.page
    page.focus("#tl-umap")
    page.keyboard.press("ArrowRight")  # the first key puts the cursor on the map
    page.wait_for_selector("#tl-umap-sample .tl-facts")
    first = page.get_attribute(".tl-umap-side section[data-row]", "data-row")
    page.keyboard.press("ArrowUp")
    page.wait_for_function(
        f"document.querySelector('.tl-umap-side section[data-row]').dataset.row !== '{first}'"
    )
    page.keyboard.press(" ")
    assert chosen(page) == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ ")
    page.wait_for_function("document.querySelector('#tl-umap-chosen')?.textContent === '2'")
    page.keyboard.press("Escape")
    page.wait_for_selector("#tl-umap-export-csv", state="detached")
    label = page.get_attribute("#tl-umap", "aria-label")
    assert label.startswith(f"Map of {COUNT} samples") and "table of groups" in label


def test_hovering_shows_the_sample_as_text(watched: Watched) -> None:
    page = watched.page
    place = page.evaluate(
        "() => { const m = window.triggerlens.map; const b = m.stage.getBoundingClientRect();"
        " return [b.left + m.at.sx[1], b.top + m.at.sy[1]]; }"
    )
    page.mouse.move(place[0] - 60, place[1])
    page.wait_for_timeout(80)
    page.mouse.move(*place, steps=2)
    page.wait_for_selector("#tl-umap-hover[data-row='1']:not([hidden])")
    assert HOSTILE in page.inner_text("#tl-umap-hover")
    assert page.locator("#tl-umap-hover img[src='x']").count() == 0


def test_revealing_scores_the_selection(watched: Watched) -> None:
    page = watched.page
    lasso(page)
    chosen(page)
    assert page.locator("#tl-umap-truth").count() == 0
    page.click("#tl-umap-reveal")
    page.wait_for_selector("#tl-umap-truth")
    assert "precision 100.0 %, recall 100.0 %" in page.inner_text("#tl-umap-truth")
    assert "AUROC" in page.inner_text("#tl-umap-known")


def test_samples_put_aside_are_missing_on_the_next_map(
    watched: Watched, served: SimpleNamespace
) -> None:
    page = watched.page
    lasso(page)
    chosen(page)
    before = (served.case.folder / "catalog.parquet").read_bytes()
    try:
        page.click("#tl-umap-aside")
        page.wait_for_function(
            "document.querySelector('#tl-umap-head').textContent.includes('put aside')",
            timeout=240_000,
        )
        assert page.locator("#tl-umap-run option").count() == 2
    finally:
        leave(page, served.case)
    newest = served.case.runs("clusters")[0]
    arrays = newest.arrays("clusters.safetensors")
    truth = served.case.truth()
    assert not any(truth[name] for name in served.case.catalog.ids[arrays["rows"]])
    assert (served.case.folder / "catalog.parquet").read_bytes() == before


def test_without_a_map_the_tab_says_what_to_do(served: SimpleNamespace) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{served.server.url}/?case={served.empty}&tab=clusters")
        page.wait_for_selector("#tl-umap-start")
        assert "No map yet" in page.inner_text("#clusters")
        page.click("#tl-umap-options")
        page.wait_for_selector("#option-clusters-features", state="visible")

"""The inspector with several pictures a sample, each in tiles and as a whole, in a real browser."""

from typing import Any

import pytest

from forensics.cli.entry import run
from forensics.ui.workspace import Workspace
from tests.tiny_families import save_family
from tests.ui.serving import CHROMIUM, Server, Watched, chromium
from tests.ui.test_families import write_set

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def address(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a scanned InternVL case is shown."""
    root = tmp_path_factory.mktemp("views")
    model = save_family("internvl", root / "model")
    (root / "data").mkdir()
    data, folder = write_set(root / "data"), server.cases / "tiles"
    assert run(["case", "new", str(folder), "--model", str(model), "--data", f"llava:{data}"]) == 0
    assert run(["scan", "attention-entropy", "--case", str(folder)]) == 0
    name = Workspace(server.cases).enter(folder)
    return f"{server.url}/?case={name}&tab=attention&sample=0"


def shown(page: Any) -> tuple[float, int, int]:
    """Shape of the picture on the canvas, and cells of the first small map."""
    ratio = page.eval_on_selector("#tl-picture", "canvas => canvas.width / canvas.height")
    cells = page.eval_on_selector(".tl-small-map", "canvas => [canvas.height, canvas.width]")
    return round(ratio, 1), *cells


def test_every_view_is_drawn_over_its_own_picture(address: str) -> None:
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        page.goto(address)
        page.wait_for_selector(".tl-inspector .tl-stage[data-ready]")
        views = page.locator(".tl-segmented[aria-label=View] button")
        # The pictures are 64 x 64 and 64 x 64: six tiles would be too fine for one, so 1 or 4.
        names = views.all_inner_texts()
        assert {name.split(",")[0] for name in names} == {"picture 1", "picture 2"}
        seen = []
        for index, name in enumerate(names):
            views.nth(index).click()
            page.wait_for_selector(f".tl-segmented[aria-label=View] button[data-value='{index}']"
                                   "[aria-pressed=true]")  # fmt: skip
            page.wait_for_selector(".tl-inspector .tl-stage[data-ready]")
            seen.append((name, shown(page)))
        assert all(cells == (2, 2) for name, (_, *pair) in seen if "thumbnail" in name
                   for cells in [tuple(pair)])  # fmt: skip
        fine = [pair for name, (_, *pair) in seen if "tiles" in name]
        assert fine and all(rows * columns > 4 for rows, columns in fine)
        assert watched.problems == [] and watched.foreign() == []

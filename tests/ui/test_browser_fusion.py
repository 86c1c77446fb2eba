"""The fusion panel in a real browser: hostile answers stay text, narrow pages do not overflow."""

from collections.abc import Iterator
from typing import Any

import pytest

from forensics.ui.workspace import Workspace
from tests.drawn_fusion import draw_set
from tests.fusion_case import make_case, run_fusion, scan
from tests.ui.serving import CHROMIUM, Server, Watched, chromium

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOSTILE = "<img src=x onerror=alert(1)>" + "x" * 200
FITS = "(node) => node.scrollWidth <= node.clientWidth"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("fusion")
    for name, rate in (("planted", 0.1), ("plain", 0.0)):
        drawn = draw_set(400, entropy=6, rate=rate)
        case = make_case(root / "cases" / name, drawn, target=HOSTILE)
        scan(case, drawn)
        run_fusion(case)
    server = Server(root / "cases", root / "server.log")
    server.start()
    yield server
    server.stop()


def look(browser: Any, server: Server, name: str, width: int) -> Watched:
    case = Workspace(server.cases).enter(server.cases / name)
    watched = Watched(browser.new_page(viewport={"width": width, "height": 900}))
    watched.page.goto(f"{server.url}/?case={case}&tab=attention")
    watched.page.click('.tl-method[data-method=evidence-fusion] button:has-text("Show")')
    watched.page.wait_for_selector("#tl-fusion")
    return watched


def test_the_panel_keeps_answers_text_and_fits(server: Server) -> None:
    with chromium() as browser:
        for width in (1440, 1024):
            watched = look(browser, server, "planted", width)
            page = watched.page
            assert page.locator("#tl-fusion img").count() == 0
            assert page.inner_text("#tl-fusion .tl-fuse-answer >> nth=0").startswith("<img src=x")
            assert page.eval_on_selector("#tl-fusion", FITS)
            assert page.locator("#tl-fusion .tl-fuse-spoke").count() == 1
            page.wait_for_selector("#tl-fuse-scores svg")
            assert watched.problems == [] and watched.foreign() == []
        watched = look(browser, server, "plain", 1024)
        assert "no group to measure" in watched.page.inner_text("#tl-fusion")
        assert watched.problems == []

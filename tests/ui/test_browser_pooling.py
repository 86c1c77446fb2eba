"""A case about an encoder in a real browser: what it is, and where its image tower looks."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from forensics.case import Case
from forensics.ui.workspace import Workspace
from forensics.worker import client as worker
from tests.drawn_map import write_map
from tests.tiny_encoders import save_vit
from tests.ui import synthetic
from tests.ui.serving import CHROMIUM, Server, Watched, chromium

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    root = tmp_path_factory.mktemp("pooling")
    data = synthetic.make_case(root / "other", 40).manifest.data
    model = save_vit(root / "vit")
    case = Case.create(root / "cases" / "clip", model=f"openclip:{model}", data=data)
    write_map(case)
    server = Server(root / "cases", root / "server.log")
    server.start()
    yield SimpleNamespace(case=case, url=server.url,
                          name=Workspace(root / "cases").enter(case.folder))  # fmt: skip
    worker.stop_worker(case)
    server.stop()


def test_the_image_tower_is_shown_layer_by_layer(served: SimpleNamespace) -> None:
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        page.goto(f"{served.url}/?case={served.name}&tab=case")
        page.wait_for_selector("#start-menu, .tl-start, .tl-offer", state="attached")
        facts = page.locator(".tl-facts", has_text="Pictures").first.inner_text()
        assert "a CLIP-like encoder" in facts and "resize mode shortest" in facts
        offered = page.locator("#start-scan").get_attribute("value")
        assert offered == "trigger-inversion", "no attention scan of language models"
        page.goto(f"{served.url}/?case={served.name}&tab=attention")
        page.wait_for_selector("#tl-tower-pooling[data-row='0']")
        assert page.locator("#tl-tower-layers button").count() == 3
        page.locator("#tl-tower-gallery [data-row='5']").click()
        page.wait_for_selector("#tl-tower-pooling[data-row='5']")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("#tl-tower-pooling[data-row='6']")
        page.get_by_role("button", name="Next page").click()
        page.wait_for_selector("#tl-tower-gallery [data-row='24']")
        page.wait_for_selector("#tl-tower-pooling[data-row='24']")
        page.goto(f"{served.url}/?case={served.name}&tab=clusters")
        page.wait_for_selector("#tl-umap[data-ready]")
        page.locator("#tl-umap").focus()
        page.keyboard.press("ArrowRight")
        page.locator("#tl-pooling > summary").click()
        page.wait_for_selector("#tl-pooling[data-row]")
        layers = page.locator("#tl-pooling-layers button")
        assert layers.count() == 3
        assert "class token" in page.locator("#tl-pooling .tl-note").first.inner_text()
        ink = "() => { const c = document.querySelector('#tl-pooling-heat'); return [...c"
        ink += ".getContext('2d').getImageData(0, 0, c.width, c.height).data].join() }"
        first = page.evaluate(ink)
        layers.nth(2).click()
        assert (
            page.locator("#tl-pooling-layers [aria-pressed=true]").get_attribute("data-layer")
            == "2"
        )
        second = page.evaluate(ink)
        page.locator("#tl-pooling-head").select_option("3")
        assert len({first, second, page.evaluate(ink)}) == 3, "each layer and head has its own map"
        assert watched.problems == [] and watched.foreign() == []

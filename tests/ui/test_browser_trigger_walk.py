"""The walk through a shipped demo: scan, sort, apply the trigger, transplant, repair, export."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.lab.shipped import SHIPPED
from forensics.ui.workspace import Workspace
from tests.ui.serving import CHROMIUM, Server, Watched, chromium, leave

pytest.importorskip("playwright")
DEMO = "prompt-badclip"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.skipif(
        not any(demo.name == DEMO and demo.shipped for demo in SHIPPED),
        reason="the demo is not shipped",
    ),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def fill(page: Any, method: str, **values: Any) -> None:
    """Write options into the form of a method; the drawer is open."""
    more = page.locator(f"#more-{method} > .label-wrap")
    if more.count() and "open" not in (more.get_attribute("class") or ""):
        more.click()
    for name, value in values.items():
        control = page.locator(f"#option-{method}-{name.replace('_', '-')}")
        choice = control.locator(f"input[type=radio][value='{value}']")
        if isinstance(value, bool):
            control.locator("input").set_checked(value)
        elif choice.count():
            choice.check()
        else:
            box = control.locator("input, textarea").first
            box.fill(str(value))
            box.press("Tab")


def open_options(page: Any, method: str, near: str) -> None:
    page.locator(near).get_by_role("button", name="Options…").click()
    page.wait_for_selector(f"#start-{method}", state="visible")


def test_the_walk_from_a_delivered_model_to_repaired_prompts(server: Server) -> None:
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        page.set_default_timeout(900_000)  # a busy machine
        page.goto(server.url)
        page.click(f"#tl-demo-{DEMO}")
        page.wait_for_selector("#start-scan")
        page.click("#tab-triggers-button")
        page.wait_for_selector("#tl-trigger-start")
        open_options(page, "trigger-inversion", "#triggers")
        # The rest is what the case suggests; half of its pictures show the page as well.
        fill(page, "trigger-inversion", seeds=1, images=448)
        page.click("#start-trigger-inversion")
        page.wait_for_selector("#triggers .tl-root[data-ready]")
        case = Workspace(server.cases).case(page.evaluate("window.triggerlens.state.case"))
        try:
            walk_on(page, case)
        finally:
            leave(page, case)
        assert watched.problems == [] and watched.foreign() == []


def walk_on(page: Any, case: Case) -> None:
    target = case.known()["target"]
    assert page.get_attribute("#tl-trigger-verdict", "data-verdict") == "suspicious"
    page.click(".tl-tb-sort[data-sort=name]")
    page.click(".tl-tb-sort[data-sort=anomaly_index]")
    first = page.locator("#tl-classes tbody tr").first
    assert target in first.inner_text()
    first.click()
    page.wait_for_selector("#tl-apply[data-shown]")
    page.click("#tl-film-next")
    page.wait_for_function(
        "document.querySelector('#tl-apply').dataset.shown.split(' ')[2] === '1'"
    )
    assert page.locator("#tl-tops ol").last.locator("li").first.inner_text().startswith(target)
    page.click("#tl-show-looks")
    assert "of the attention lies elsewhere" in page.inner_text("#tl-looks")

    page.click("#tl-graft-start")
    page.wait_for_selector("#tl-graft-said")
    assert "suspicious" in page.inner_text("#tl-graft-said")
    open_options(page, "trigger-tuning", "#tl-repair")
    fill(page, "trigger-tuning", epochs=2, controls=False, fresh=False)
    page.click("#start-trigger-tuning")
    page.wait_for_selector("#tl-repair-said")
    assert page.locator("#tl-repair-table [data-version=after]").count() == 1
    with page.expect_download() as waited:
        page.click("#tl-repair-export")
    with zipfile.ZipFile(io.BytesIO(Path(waited.value.path()).read_bytes())) as packed:
        assert "repaired-prompts.safetensors" in packed.namelist()

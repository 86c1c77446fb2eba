"""What every walk through the Repair tab does: start a repair from its form, take it away."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from forensics.case import Case
from tests.ui.test_browser_trigger_walk import fill

JOB = "window.triggerlens.state.job"


def run_repair(page: Any, method: str, **options: Any) -> str:
    """Start a repair from its form, wait for its figures, and return its run."""
    if page.get_attribute("#tl-rp-picker", "open") is None:
        page.click("#tl-rp-picker > summary")
    page.click(f"#tl-rp-method-{method}")
    assert "They come with this demo" in page.inner_text("#tl-rp-detail")
    page.click("#tl-rp-options")
    page.wait_for_selector(f"#start-{method}", state="visible")
    fill(page, method, **options)
    before = page.evaluate(JOB)
    page.click(f"#start-{method}")
    page.wait_for_function(f"before => {JOB} !== before", arg=before)
    run = page.evaluate(JOB)
    page.wait_for_selector(f"#tl-rp-said[data-run='{run}']")
    page.wait_for_selector("#tl-rp-running", state="hidden")
    assert "known trigger" in page.inner_text("#tl-rp-rates")
    return str(run)


def show_repair(page: Any, run: str) -> None:
    """Choose a repair in the table."""
    page.click(f"#tl-rp-table [data-run='{run}'] .tl-tb-name")
    page.wait_for_selector(f"#tl-rp-said[data-run='{run}']")


def take_repair(
    page: Any, case: Case, run: str, note: str, flag: str, test: int = 60
) -> dict[str, bytes]:
    """Export a repair; return what lies in the archive, by name.

    Args:
        page: With the tab open.
        case: The case.
        run: The repair.
        note: Name of the provenance in the archive.
        flag: Of the command line that it names.
        test: Pictures that it was measured on.
    """
    show_repair(page, run)
    with page.expect_download() as waited:
        page.click("#tl-rp-export")
    with zipfile.ZipFile(io.BytesIO(Path(waited.value.path()).read_bytes())) as packed:
        found = {name: packed.read(name) for name in packed.namelist()}
    told = json.loads(found[note])
    assert told["hashes"]["model"]["sha256"] == case.manifest.hashes["model"].sha256
    assert told["hashes"]["data"]["sha256"] == case.manifest.hashes["data"].sha256
    assert flag in told["command"]
    assert told["measured"]["after"]["n_clean"] == test
    return found

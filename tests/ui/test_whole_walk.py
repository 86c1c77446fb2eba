"""An analyst's day in one test: unknown data in, a signed report out, opened without a network."""

import json
from pathlib import Path
from typing import Any

import pytest

from forensics.lab.shipped import SHIPPED
from tests.ui.full_cases import MARK, PAYLOADS
from tests.ui.serving import CHROMIUM, Server, Watched, chromium, leave
from tests.ui.whole_walk import Walk

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.skipif(
        not any(demo.name == "vlm-patch" and demo.shipped for demo in SHIPPED),
        reason="the demo vlm-patch is not shipped",
    ),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROWS = 240
POISONED = ROWS // 10


def test_from_an_unknown_set_to_a_signed_report(server: Server, tmp_path: Path) -> None:
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        watched.page.set_default_timeout(180_000)  # a busy machine
        walk = Walk(watched.page, server, tmp_path, ROWS)
        try:
            report = walk.go()
            assert watched.page.evaluate(f"document.body.getAttribute('{MARK}')") is None
        finally:
            if walk.case is not None:
                leave(watched.page, walk.case)
        assert watched.problems == [] and watched.foreign() == []
        read_offline(browser, report)
    assert walk.case is not None
    found = {run.method: run.result() for run in walk.case.runs()}
    assert found["attention-entropy"]["verdict"] == "suspicious"
    assert found["attention-entropy"]["flagged"] == POISONED
    assert found["transplant"]["verdict"] == "suspicious"
    repaired = found["filter-retune"]
    assert repaired["samples"]["n"] == ROWS - POISONED
    # Nobody knows the trigger of an own case: the patch that was transplanted stands for it.
    assert repaired["judged_by"] == "reconstruction" and repaired["known_trigger"] is None
    assert repaired["before"]["attack_success_rate"] >= 0.8
    assert repaired["after"]["attack_success_rate"] <= 0.1
    decided = walk.case.journal.decisions()
    assert {one.verdict for one in decided.values()} == {"flag"} and len(decided) == POISONED
    assert [entry.what for entry in walk.case.journal.entries("sign")] == ["sign"]
    json.loads((walk.case.folder / "case.json").read_text(encoding="utf-8"))


def read_offline(browser: Any, report: Path) -> None:
    """Open the saved report from disk, with the network off."""
    context = browser.new_context(offline=True)
    seen = Watched(context.new_page())
    seen.page.goto(report.as_uri())
    text = seen.page.inner_text("body")
    for expected in (
        "Upload of a customer",
        "Backdoor Attack!",
        "Ada L.",
        PAYLOADS[0],
        "transplant",
    ):
        assert expected in text, expected
    assert seen.page.evaluate(f"document.body.getAttribute('{MARK}')") is None
    assert seen.problems == []
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []
    context.close()

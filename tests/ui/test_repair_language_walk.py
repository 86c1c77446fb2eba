"""The walk through two language models: scan, review, tune again, before and after, take away."""

import json
from typing import Any

import pytest

from forensics.case import Case
from forensics.lab.shipped import SHIPPED
from forensics.registry import find_method
from forensics.ui.workspace import Workspace
from tests.ui.repairing import JOB, run_repair, take_repair
from tests.ui.serving import CHROMIUM, Server, Watched, chromium, leave
from tests.ui.test_browser_trigger_walk import fill

pytest.importorskip("playwright")
NEEDED = ("vlm-patch", "vlm-mixed")
# The base captions already; few steps and few samples show the page, not the methods.
SHORT = {"epochs": 0.05, "max_test": 8, "looked_at": 8}
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.skipif(
        len([demo for demo in SHIPPED if demo.name in NEEDED and demo.shipped]) < len(NEEDED),
        reason="the demos are not shipped",
    ),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_the_walk_from_a_flagged_set_to_a_model_tuned_again(server: Server) -> None:
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        page.set_default_timeout(900_000)  # a busy machine
        walk(page, server, "vlm-patch", filtered)
        walk(page, server, "vlm-mixed", regularised)
        assert watched.problems == [] and watched.foreign() == []


def walk(page: Any, server: Server, demo: str, then: Any) -> None:
    """Open a demo and go on; its worker is stopped whatever happens."""
    page.goto(server.url)
    page.click(f"#tl-demo-{demo}")
    page.wait_for_selector("#start-scan", state="visible")
    case = Workspace(server.cases).case(page.evaluate("window.triggerlens.state.case"))
    try:
        then(page, case)
    finally:
        leave(page, case)


def open_tab(page: Any) -> None:
    page.click("#tab-repair-button")
    page.wait_for_selector("#repair .tl-root[data-ready]")


def filtered(page: Any, case: Case) -> None:
    """Scan, look at what was flagged, tune again without it, take the adapter."""
    page.click("#scan-options")
    fill(page, "attention-entropy", max_samples=400)
    page.click("#start-attention-entropy")
    page.wait_for_selector("#tl-jobbar[data-state=finished]")
    page.wait_for_selector("#tl-gallery .tl-tile")
    scan = case.runs("attention-entropy")[0]
    flagged = scan.result()["flagged"]
    open_tab(page)
    page.click("#tl-rp-method-filter-retune")
    detail = page.inner_text("#tl-rp-detail")
    assert f"flagged {flagged} of 2,000 samples" in detail and "read only 400" in detail
    run = run_repair(page, "filter-retune", **SHORT)
    page.wait_for_selector(f"#tl-rp-views[data-ready='{run}']")
    for card in ("examples", "divergence"):
        page.wait_for_selector(f"#tl-rp-{card}[data-ready='{run}']")
    start = page.inner_text("#tl-rp-start-card")
    assert "✕" not in start and "▲ yes" in start, "tuning had touched parts; all are the base's"
    assert f"{flagged} were left out" in page.inner_text("#tl-rp-left")
    assert "▲" in page.inner_text("#tl-rp-views tr[data-state=before]")
    assert "▲" not in page.inner_text("#tl-rp-views tr[data-state=after]")
    packed = take_repair(page, case, run, "repaired/provenance.json", "--epochs 0.05", test=8)
    adapter = "repaired/adapter_model.safetensors"
    assert packed[adapter] == (case.run(run).folder / adapter).read_bytes()
    note = json.loads(packed["repaired/provenance.json"])
    assert note["what"].startswith("a LoRA adapter") and note["scan"] == scan.id
    page.click("#tl-rp-left button")
    page.wait_for_function(f"window.triggerlens.state.run === '{scan.id}'")


def regularised(page: Any, case: Case) -> None:
    """Tune on everything with two views held apart; nothing on the page speaks of detection."""
    open_tab(page)
    run = run_repair(
        page, "cross-view", weight=0.5, calibration=16, begin=0.0, entropy_weight=0.0, **SHORT
    )
    for card in ("views", "divergence"):
        page.wait_for_selector(f"#tl-rp-{card}[data-ready='{run}']")
    figures = page.inner_text("#tl-rp-figures")
    assert "(reconstruction)" in page.inner_text("#tl-rp-said")
    assert "none were left out" in figures and "Entropy of the outputs" in figures
    assert "λ 0.5" in page.locator("#tl-rp-frontier").inner_text()
    assert "detect" not in figures.lower()
    assert case.run(run).result()["objective"]["weight"] == 0.5
    start_variant(page, case, run)


def start_variant(page: Any, case: Case, after: str) -> None:
    """One click starts the variant with its options and the demo's own; it would take minutes."""
    page.click("#tl-rp-method-cross-view")
    page.click("#tl-rp-variant-held-back")
    page.wait_for_function(f"before => {JOB} !== before", arg=after)
    started = case.run(page.evaluate(JOB))
    own = find_method("cross-view").variant("held-back") | {"epochs": 14.0}
    assert {name: started.options[name] for name in own} == own
    page.click("#tl-rp-cancel")
    page.wait_for_selector("#tl-rp-resume")

"""The walk through clip-badnets: two repairs, side by side, and both models to take away."""

import csv
from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.lab.shipped import SHIPPED
from forensics.models.uri import parse_model_uri
from forensics.ui.workspace import Workspace
from tests.ui.repairing import run_repair, show_repair, take_repair
from tests.ui.serving import CHROMIUM, Server, Watched, chromium, leave

pytest.importorskip("playwright")
DEMO = "clip-badnets"
WEIGHTS = "open_clip_model.safetensors"
PAIRS = 240  # of the demo's, so that the walk is short; it shows the page, not the method
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


def test_the_walk_from_a_poisoned_clip_to_repaired_models(server: Server) -> None:
    with chromium() as browser:
        watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
        page = watched.page
        page.set_default_timeout(900_000)  # a busy machine
        page.goto(server.url)
        page.click(f"#tl-demo-{DEMO}")
        page.wait_for_selector("#start-scan")
        page.click("#tab-repair-button")
        page.wait_for_selector("#repair .tl-root[data-ready=none]")
        case = Workspace(server.cases).case(page.evaluate("window.triggerlens.state.case"))
        try:
            prompts = repair(page, "repulsive-prompts", max_test=60, per_class=4, prompts=4,
                             epochs=3)  # fmt: skip
            unlearnt = repair(
                page, "token-unlearning", pairs=f"table:{few_pairs(case)}", pool_least=40,
                overfit_epochs=1, k=8, steps=4, benign_pairs=64, max_test=60, curve=20, shown=2,
                force=True, until="steps",
            )  # fmt: skip
            compare(page, prompts, unlearnt)
            packed = take_repair(
                page, case, prompts, "visual-prompts.provenance.json", "--epochs 3"
            )
            assert {"visual_prompts_loader.py", "visual-prompts.safetensors"} <= packed.keys()
            packed = take_repair(page, case, unlearnt, "repaired/provenance.json", "--steps 4")
            weights = packed[f"repaired/{WEIGHTS}"]
            assert "repaired/open_clip_config.json" in packed
            assert weights == (case.run(unlearnt).folder / "repaired" / WEIGHTS).read_bytes()
            assert weights != delivered(case).read_bytes()
        finally:
            leave(page, case)
        assert watched.problems == [] and watched.foreign() == []


def repair(page: Any, method: str, **options: Any) -> str:
    """Run a repair and wait for every card that one of a CLIP has."""
    run = run_repair(page, method, **options)
    page.wait_for_selector("#tl-rp-classes svg")  # drawn after the rates
    assert page.locator("#tl-rp-classes svg").count() == 1
    for card in ("examples", "plane", "resistivity"):
        page.wait_for_selector(f"#tl-rp-{card}[data-ready='{run}']")
    return run


def compare(page: Any, prompts: str, unlearnt: str) -> None:
    assert page.locator("#tl-rp-table tbody tr[data-run]").count() == 2
    assert page.locator(".tl-rp-letter").count() == 2
    page.wait_for_selector(f"#tl-rp-tokens[data-ready='{unlearnt}']")
    assert page.locator("#tl-rp-tokens .tl-rp-kept").count() > 0
    show_repair(page, prompts)


def delivered(case: Case) -> Path:
    """Find the weights of the demo's own model."""
    folder = parse_model_uri(case.manifest.model).folder
    assert folder is not None
    return folder / WEIGHTS


def few_pairs(case: Case) -> Path:
    """Write some of the demo's pairs, every poisoned one that comes among them, to a table."""
    source = case.folder / "demo" / "data" / "pairs.csv"
    with source.open(newline="") as file:
        rows = list(csv.reader(file))
    place = source.with_name("few.csv")
    with place.open("w", newline="") as file:
        csv.writer(file).writerows(rows[: PAIRS + 1])
    return place

"""The shipped demos, scanned for real: the patch is found, the clean twin stays silent."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forensics.case import Case
from forensics.detectors.masked_views.measures import measure_views
from forensics.export.scan import export_scan_ids
from forensics.jobs.attention import scan as attention_scan
from forensics.jobs.attention.arrays import load_arrays
from forensics.jobs.attention.layouts import load_layouts
from forensics.jobs.masked_views import job as masked_views
from forensics.jobs.masked_views.arrays import load_cells, load_views
from forensics.lab.opening import open_demo
from forensics.runs import Run, execute
from forensics.triggers import parse_trigger
from forensics.worker.models import ModelCache

SAMPLES = 400


def scan(case: Case) -> tuple[Run, dict[str, Any]]:
    run = case.new_run("attention-entropy", {"max_samples": SAMPLES, "batch_size": 32})
    return run, execute(
        run, lambda context: attention_scan.run(case, context, run.options, ModelCache())
    )


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Run, dict[str, Any]]:
    case = open_demo("vlm-patch", tmp_path_factory.mktemp("demo") / "patch")
    return case, *scan(case)


def test_the_patch_is_found_by_both_readings_of_the_rule(
    patch: tuple[Case, Run, dict[str, Any]],
) -> None:
    _, _, result = patch
    assert result["verdict"] == "suspicious"
    assert "Backdoor Attack!" in result["sentence"]
    for mode in ("root", "code"):
        assert result["scores"][mode]["precision"] >= 0.95
        assert result["scores"][mode]["recall"] >= 0.95


def test_attention_of_flagged_samples_peaks_at_the_trigger(
    patch: tuple[Case, Run, dict[str, Any]],
) -> None:
    case, run, result = patch
    arrays = load_arrays(run.folder)
    (grid,) = load_layouts(run.folder, arrays.layout).grids(0)
    [layer] = result["modes"]["root"]["layers"]
    box = parse_trigger(case.known()["trigger"]).box(108, 108)
    center = (box.left + box.right) / 2 / 108 * grid.columns - 0.5
    poisoned = np.array([case.truth()[case.catalog.ids[row]] for row in arrays.rows])
    rows, columns = np.divmod(arrays.peak_token[poisoned, layer], grid.columns)
    near = (abs(rows - center) <= 1.5) & (abs(columns - center) <= 1.5)
    assert near.mean() >= 0.8


def test_masked_views_of_flagged_samples_depend_on_the_trigger(
    patch: tuple[Case, Run, dict[str, Any]],
) -> None:
    case, scanned, _ = patch
    chosen = {"run": scanned.id, "max_candidates": 8, "controls": 8, "base": False}
    run = case.new_run("masked-views", chosen)
    result = execute(run, lambda context: masked_views.run(case, context, chosen, ModelCache()))
    arrays, cells = load_views(run.folder), load_cells(run.folder)
    found = measure_views(arrays.divergence, arrays.agreement, arrays.masks)
    box = parse_trigger(case.known()["trigger"]).box(108, 108)
    assert box is not None
    center = (box.left + box.right) / 2 / 108 * cells[0][0].columns - 0.5
    rows, columns = np.divmod(found.peak_cell[arrays.candidate], cells[0][0].columns)
    assert ((abs(rows - center) <= 1) & (abs(columns - center) <= 1)).sum() >= 7
    areas = {c["measure"]: c["auc"] for c in result["comparisons"]}
    assert areas["spread"] >= 0.9 and areas["agreement"] <= 0.1
    assert result["verdict"] is None


def test_the_kept_ids_hold_no_poison(
    patch: tuple[Case, Run, dict[str, Any]], tmp_path: Path
) -> None:
    case, _, _ = patch
    outcome = export_scan_ids(case, tmp_path / "kept.jsonl")
    assert outcome["written"] == SAMPLES - outcome["flagged"]
    kept = (tmp_path / "kept.jsonl").read_text()
    poisoned = [name for name, truth in case.truth().items() if truth]
    assert sum(f'"{name}"' in kept for name in poisoned) <= 0.05 * outcome["flagged"]


def test_nothing_is_flagged_in_the_clean_twin(tmp_path: Path) -> None:
    _, result = scan(open_demo("vlm-clean", tmp_path / "clean"))
    assert (result["verdict"], result["flagged"]) == ("no evidence", 0)
    assert result["modes"]["code"]["count"] == 0

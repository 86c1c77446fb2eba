"""Masked views of a real model with random weights: what must hold whatever the model learned."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from forensics.case import Case
from forensics.detectors.options.masked_views import MaskedViewsOptions
from forensics.errors import Cancelled, CaseError, ModelError, OptionError
from forensics.jobs.attention import scan as attention_scan
from forensics.jobs.masked_views import job as masked_views
from forensics.jobs.masked_views import measure as masked_views_measure
from forensics.jobs.masked_views.arrays import load_cells, load_views
from forensics.jobs.masked_views.measure import measure_views_of, read_prompt
from forensics.jobs.occlusion import occlusion
from forensics.models.base import GenerativeModel
from forensics.models.loading import open_model
from forensics.runs import QuietContext, execute
from forensics.worker.models import ModelCache
from tests.make_case import MakeCase

FILES = ("masked_views.safetensors", "masked_views.parquet", "cells.json")


@pytest.fixture
def scanned(make_case: MakeCase) -> Case:
    """A case with a scan that flags some of its 24 samples: tau 0 lets every layer through."""
    case = make_case(24)
    run = case.new_run("attention-entropy", {"tau": 0.0})
    execute(run, lambda c: attention_scan.run(case, c, run.options, ModelCache()))
    return case


@pytest.fixture(scope="module")
def model(tiny_llava_folder: Path) -> GenerativeModel:
    return open_model(str(tiny_llava_folder), device="cpu")


def diagnose(case: Case, folder: Path, **options: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {"max_candidates": 6, "controls": 6, "views": 4, **options}
    return masked_views.run(case, QuietContext(folder), chosen, ModelCache())


def digest(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES]


def test_hiding_nothing_changes_nothing_and_hiding_more_changes_more(
    make_case: MakeCase, model: GenerativeModel
) -> None:
    samples = make_case(6).catalog.samples()
    larger = 0
    for sample in samples:
        prompt = read_prompt(sample)
        found = {
            share: measure_views_of(
                model, prompt, sample.id, MaskedViewsOptions(views=6, share=share, batch_size=3)
            )
            for share in (0.0, 0.25, 1.0)
        }
        assert np.abs(found[0.0].divergence).max() <= 1e-6
        assert found[0.0].agreement.all()
        assert all(np.isfinite(v.divergence).all() for v in found.values())
        assert min(float(v.divergence.min()) for v in found.values()) >= -1e-6
        assert np.ptp(found[1.0].divergence) <= 1e-6  # every view hides the same: all
        assert found[0.25].masks.sum() == 6 * 4
        larger += np.median(found[1.0].divergence) > np.median(found[0.25].divergence)
    assert larger >= 5


def test_a_run_ranks_flagged_samples_against_others_and_gives_no_verdict(
    scanned: Case, tmp_path: Path
) -> None:
    result = diagnose(scanned, tmp_path)
    arrays = load_views(tmp_path)
    flagged = pq.read_table(scanned.runs()[0].folder / "scores.parquet").to_pandas()
    flagged_rows = set(flagged.row[flagged.flagged])
    assert set(arrays.rows[arrays.candidate]) <= flagged_rows
    assert not set(arrays.rows[~arrays.candidate]) & flagged_rows
    assert result["verdict"] is None and result["flagged"] == 0
    assert result["candidates_from"] == scanned.runs()[0].id
    assert len(result["comparisons"]) == 4 and not result["against_base"]
    assert arrays.divergence.shape == (result["n"], 4)
    assert [grid[0].tokens for grid in load_cells(tmp_path)] == [16] * result["n"]
    table = pq.read_table(tmp_path / "masked_views.parquet").to_pandas()
    assert table.agreement.tolist() == pytest.approx(arrays.agreement.mean(axis=1))
    assert table.agreement_rank.between(0, 1).all()
    assert set(result["auc_of_poisoned"]) == {"invariance", "agreement", "spread", "peak_share"}


def test_the_base_sees_the_same_masks(
    scanned: Case, tmp_path: Path, tiny_llava_folder: Path
) -> None:
    copy = shutil.copytree(tiny_llava_folder, tmp_path / "base")
    case = Case.create(
        tmp_path / "case", model=str(tiny_llava_folder), base=str(copy), data=scanned.manifest.data
    )
    scan = scanned.runs()[0]
    shutil.copytree(scan.folder, case.runs_dir / scan.id)
    result = diagnose(case, tmp_path / "run")
    arrays = load_views(tmp_path / "run")
    assert result["against_base"] and len(result["models"]) == 2
    assert arrays.base_divergence is not None
    assert arrays.base_divergence == pytest.approx(arrays.divergence, abs=1e-6)
    differences = [c for c in result["comparisons"] if c["against_base"]]
    assert [c["auc"] for c in differences if c["measure"] == "agreement"] == [0.5]


def test_a_stopped_run_goes_on_to_the_same_bytes(scanned: Case, tmp_path: Path) -> None:
    class Stops(QuietContext):
        def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
            super().commit_shard(index, content, **facts)
            raise Cancelled(f"stop after {index}")

    (tmp_path / "a").mkdir()
    options = {"max_candidates": 6, "controls": 6, "views": 4}
    with pytest.raises(Cancelled, match="after 0"):
        masked_views.run(scanned, Stops(tmp_path / "a"), options, ModelCache())
    diagnose(scanned, tmp_path / "a")
    diagnose(scanned, tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_little_memory_changes_the_batches_and_not_the_figures(
    scanned: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagnose(scanned, tmp_path / "plain")
    whole = masked_views_measure.mask_prompts

    def small_memory(model: Any, batch: Any, masks: Any, **rest: Any) -> Any:
        if len(masks) > 2:
            raise torch.OutOfMemoryError("no room")
        return whole(model, batch, masks, **rest)

    monkeypatch.setattr(masked_views_measure, "mask_prompts", small_memory)
    diagnose(scanned, tmp_path / "small", batch_size=8)
    first, second = load_views(tmp_path / "plain"), load_views(tmp_path / "small")
    assert np.allclose(first.divergence, second.divergence, atol=1e-4)
    assert '"batch_size": 2' in (tmp_path / "small" / "ledger.jsonl").read_text()


def test_unreadable_pictures_are_named_and_the_rest_is_measured(
    scanned: Case, tmp_path: Path
) -> None:
    first = diagnose(scanned, tmp_path / "whole")
    broken = int(load_views(tmp_path / "whole").rows[0])
    image = scanned.catalog.samples(broken, broken + 1)[0].images[0]
    (image.root / image.path).write_bytes(b"nothing")
    result = diagnose(scanned, tmp_path / "rest")
    assert [failure["row"] for failure in result["failures"]] == [broken]
    arrays = load_views(tmp_path / "rest")
    assert np.isnan(arrays.divergence[0]).all() and np.isfinite(arrays.divergence[1:]).all()
    assert result["n"] == first["n"]


def test_without_candidates_the_remedy_is_to_scan(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case(12)
    with pytest.raises(CaseError, match="flagged a sample") as caught:
        diagnose(case, tmp_path / "run")
    assert "Scan" in caught.value.remedy
    with pytest.raises(CaseError, match="no run"):
        diagnose(case, tmp_path / "run", run="../../elsewhere")


def test_the_live_map_is_that_of_the_views_and_is_kept(make_case: MakeCase) -> None:
    case, models = make_case(3), ModelCache()
    reply = occlusion(case, {"sample": "s1", "views": 32}, models)
    assert [cell["rows"] for cell in reply["cells"]] == [4] and len(reply["map"]) == 16
    assert len(reply["divergence"]) == 32 and reply["kept"] == 32 * reply["agreement"]
    assert reply["peak"] is None or reply["map"][
        4 * reply["peak"]["row"] + reply["peak"]["column"]
    ] == max(reply["map"])
    assert occlusion(case, {"sample": "s1", "views": 32}, models) is reply
    assert occlusion(case, {"sample": "s2", "views": 32}, models) is not reply
    for wrong in ({"views": 8}, {"views": 10**6}, {"share": 2.0}, {"seed": "x"}):
        with pytest.raises(OptionError):
            occlusion(case, {"sample": "s1", **wrong}, models)


def test_a_family_that_cannot_be_masked_is_refused_before_any_shard(
    scanned: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: GenerativeModel
) -> None:
    monkeypatch.setattr(model.processor.image_processor, "do_normalize", False)
    with pytest.raises(ModelError, match="cannot be masked"):
        masked_views.run(scanned, QuietContext(tmp_path), {}, ModelCache(lambda _: model))
    assert not list((tmp_path).glob("shards/*"))

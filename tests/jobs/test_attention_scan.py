import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from forensics.case import Case
from forensics.errors import Cancelled, JobFailed
from forensics.jobs.attention import measure as attention_measure
from forensics.jobs.attention import scan as attention_scan
from forensics.jobs.attention.arrays import load_arrays, load_maps
from forensics.jobs.attention.layouts import load_layouts
from forensics.jobs.attention.measure import choose_maps
from forensics.jobs.attention.scan import plan_rows
from forensics.models.attention import image_entropy, record_attention
from forensics.models.base import prompt_of
from forensics.models.loading import open_model
from forensics.runs import QuietContext
from forensics.worker.models import ModelCache
from tests.make_case import MakeCase

OPTIONS = {"batch_size": 1}


def scan(case: Case, folder: Path, **options: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    return attention_scan.run(case, QuietContext(folder), {**OPTIONS, **options}, ModelCache())


def digest(folder: Path) -> dict[str, str]:
    names = ("attention.safetensors", "maps.safetensors", "layouts.json", "scores.parquet",
             "flagged_ids.txt")  # fmt: skip
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_the_scan_measures_what_a_single_prompt_shows(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case(20)
    result = scan(case, tmp_path / "run", batch_size=6)
    arrays, maps = load_arrays(tmp_path / "run"), load_maps(tmp_path / "run")
    model = open_model(case.manifest.model, device="cpu")
    sample = case.catalog.samples(7, 8)[0]
    with Image.open(sample.image.root / sample.image.path) as image:  # type: ignore[union-attr]
        batch = model.collate([prompt_of(sample, [image.convert("RGB")])])
    with record_attention(model) as recorder:
        recorder.begin(batch)
        model.prefill(batch)
        rows = recorder.rows()
    assert np.allclose(arrays.entropy[7], image_entropy(rows.image, rows.counts)[0], atol=1e-4)
    assert np.allclose(arrays.masses[7], rows.masses[0], atol=1e-3)
    share = rows.image[0] / rows.image[0].sum(dim=1, keepdim=True)
    assert (arrays.peak_token[7] == share.argmax(dim=1).numpy()).all()
    assert np.allclose(arrays.peak_mass[7], share.max(dim=1).values, atol=1e-4)
    assert np.allclose(maps.maps[maps.rows == 7][0], share, atol=2e-3)
    assert np.allclose(maps.maps.sum(axis=2), 1, atol=1e-2)
    (grid,) = load_layouts(tmp_path / "run", arrays.layout).grids(7)
    assert (grid.rows, grid.columns) == (4, 4)
    assert grid.visible == pytest.approx((0.2, 0, 0.8, 1))
    assert (result["n"], result["failed"]) == (20, 0)
    assert result["verdict"] in ("no evidence", "inconclusive")
    assert {"root", "code"} <= set(result["scores"])


def test_a_cancelled_scan_goes_on_to_the_same_bytes(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case(40)

    class Stops(QuietContext):
        def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
            shard = super().commit_shard(index, content, **facts)
            if index == 1:
                raise Cancelled("stop")
            return shard

    (tmp_path / "a").mkdir()
    with pytest.raises(Cancelled):
        attention_scan.run(case, Stops(tmp_path / "a"), OPTIONS, ModelCache())
    scan(case, tmp_path / "a")
    scan(case, tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_a_scan_that_never_ran_out_of_memory_and_one_that_did_agree(
    make_case: MakeCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(20)
    scan(case, tmp_path / "plain", batch_size=8)
    whole = attention_measure.measure_batch

    def small_memory(model: Any, recorder: Any, prompts: Any) -> Any:
        if len(prompts) > 2:
            raise torch.OutOfMemoryError("no room")
        return whole(model, recorder, prompts)

    monkeypatch.setattr(attention_measure, "measure_batch", small_memory)
    scan(case, tmp_path / "small", batch_size=8)
    ledger = (tmp_path / "small" / "ledger.jsonl").read_text().splitlines()
    assert json.loads(ledger[0])["batch_size"] == 2
    first, second = load_arrays(tmp_path / "plain"), load_arrays(tmp_path / "small")
    assert np.allclose(first.entropy, second.entropy, atol=1e-4)


def test_one_sample_that_does_not_fit_is_a_clear_failure(
    make_case: MakeCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: Any) -> Any:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(attention_measure, "measure_batch", no_memory)
    with pytest.raises(JobFailed, match="does not fit"):
        scan(make_case(3), tmp_path / "run")


def test_unreadable_pictures_are_named_and_the_rest_is_scanned(
    make_case: MakeCase, tmp_path: Path
) -> None:
    def damage(rows: list[dict[str, object]], root: Path) -> None:
        (root / "images" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
        data = (root / "images" / "5.png").read_bytes()
        (root / "images" / "5.png").write_bytes(data[: len(data) // 2])

    case = make_case(20, damage)
    result = scan(case, tmp_path / "run")
    arrays = load_arrays(tmp_path / "run")
    assert [failure["row"] for failure in result["failures"]] == [3, 5]
    assert np.isnan(arrays.entropy[[3, 5]]).all()
    assert np.isfinite(np.delete(arrays.entropy, [3, 5], axis=0)).all()


def test_a_set_without_a_single_readable_picture_fails_with_a_reason(
    make_case: MakeCase, tmp_path: Path
) -> None:
    def damage(rows: list[dict[str, object]], root: Path) -> None:
        for path in (root / "images").iterdir():
            path.write_bytes(b"nothing")

    with pytest.raises(JobFailed, match="No sample"):
        scan(make_case(5, damage), tmp_path / "run")


def test_shuffling_the_ground_truth_changes_no_flag(make_case: MakeCase, tmp_path: Path) -> None:
    def shuffle(rows: list[dict[str, object]], root: Path) -> None:
        marks = [row["poisoned"] for row in rows]
        random.Random(1).shuffle(marks)
        for row, mark in zip(rows, marks, strict=True):
            row["poisoned"] = mark

    # tau 0 lets every layer through, so that there are flags to compare.
    scan(make_case(40, name="a"), tmp_path / "run-a", tau=0.0)
    scan(make_case(40, shuffle, name="b"), tmp_path / "run-b", tau=0.0)
    assert (tmp_path / "run-a" / "flagged_ids.txt").read_text()
    assert digest(tmp_path / "run-a") == digest(tmp_path / "run-b")


def test_a_subsample_is_seeded_sorted_and_within_the_catalogue(
    make_case: MakeCase, tmp_path: Path
) -> None:
    rows = plan_rows(1000, 50, seed=3)
    assert len(set(rows)) == 50 and (np.diff(rows) > 0).all() and rows.max() < 1000
    assert (rows == plan_rows(1000, 50, seed=3)).all()
    assert (plan_rows(10, 50, seed=3) == np.arange(10)).all()
    result = scan(make_case(30), tmp_path / "run", max_samples=12)
    assert result["n"] == 12


def test_maps_are_kept_up_to_the_quota_collapsed_ones_first(
    make_case: MakeCase, tmp_path: Path
) -> None:
    entropy = np.full((6, 2), 3.0, dtype=np.float32)
    entropy[4, 1], entropy[1, 0], entropy[2] = 1.0, 2.0, np.nan
    assert choose_maps(entropy, 2).tolist() == [1, 4]
    scan(make_case(40), tmp_path / "run", max_maps=5)
    assert load_maps(tmp_path / "run").maps.shape == (5, 3, 16)

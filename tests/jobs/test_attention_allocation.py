import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from forensics.api.running import run_method
from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.errors import Cancelled, InputError
from forensics.jobs.attention.arrays import load_arrays
from forensics.jobs.attention_allocation import job as attention_allocation
from forensics.jobs.attention_allocation.tables import BINS, load_tables
from forensics.models.attention import record_attention
from forensics.models.base import PADDING
from forensics.models.loading import open_model
from forensics.registry import find_method
from forensics.runs import QuietContext
from forensics.ui.views.allocation import (
    allocation_view,
    head_histogram,
    mass_means,
    ranked_heads,
    score_grid,
)
from forensics.worker.models import ModelCache
from tests.make_case import MakeCase

OPTIONS: dict[str, Any] = {"batch_size": 4, "mode": "exact"}
FILES = ("allocation.safetensors", "scores.parquet", "flagged_ids.txt")


class NoModels(ModelCache):
    def get(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("no model is needed")


def scan(case: Case, folder: Path, **options: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    return attention_allocation.run(
        case, QuietContext(folder), {**OPTIONS, **options}, ModelCache()
    )


def digest(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def test_components_partition_the_prompt_and_masses_sum_to_one(make_case: MakeCase) -> None:
    from forensics.jobs.attention.measure import read_prompts

    case = make_case(6)
    model = open_model(case.manifest.model, device="cpu")
    prompts = read_prompts(case.catalog.samples(0, 6), np.arange(6))[1]
    batch = model.collate(prompts)
    with record_attention(model) as recorder:
        recorder.begin(batch)
        model.prefill(batch)
        masses = recorder.rows().masses
    assert (masses.sum(dim=3) - 1).abs().max() < 1e-5
    attended = batch.inputs["attention_mask"].bool()
    assert ((batch.components != PADDING) == attended).all()
    assert set(batch.components[attended].tolist()) == {1, 2, 3}


def test_an_earlier_scan_is_used_again_without_a_model(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case(40)
    earlier = run_method(case, find_method("bye"), {"batch_size": 8}).run
    (tmp_path / "a").mkdir()
    result = attention_allocation.run(case, QuietContext(tmp_path / "a"), OPTIONS, NoModels())
    assert (result["arrays_run"], result["measured"]) == (earlier.id, False)
    part = attention_allocation.run(
        case, QuietContext(tmp_path / "a"), {**OPTIONS, "max_samples": 15}, NoModels()
    )
    assert (part["n"], part["arrays_run"]) == (15, earlier.id)
    again = scan(case, tmp_path / "b", rescan=True, batch_size=8)
    assert again["measured"]
    assert digest(tmp_path / "b") != {}
    assert (load_arrays(tmp_path / "b").masses == load_arrays(earlier.folder).masses).all()


def test_a_scan_of_other_samples_is_not_used(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case(24)
    run_method(case, find_method("bye"), {"batch_size": 8, "max_samples": 10})
    assert scan(case, tmp_path / "run")["measured"]


def test_a_cancelled_scan_goes_on_to_the_same_bytes(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case(40)

    class Stops(QuietContext):
        def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
            shard = super().commit_shard(index, content, **facts)
            if index == 0:
                raise Cancelled("stop")
            return shard

    (tmp_path / "a").mkdir()
    options = {**OPTIONS, "batch_size": 1}
    with pytest.raises(Cancelled):
        attention_allocation.run(case, Stops(tmp_path / "a"), options, ModelCache())
    scan(case, tmp_path / "a", batch_size=1)
    scan(case, tmp_path / "b", batch_size=1)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_shuffling_the_ground_truth_changes_no_flag(make_case: MakeCase, tmp_path: Path) -> None:
    def shuffle(rows: list[dict[str, object]], root: Path) -> None:
        marks = [row["poisoned"] for row in rows]
        random.Random(1).shuffle(marks)
        for row, mark in zip(rows, marks, strict=True):
            row["poisoned"] = mark

    first = scan(make_case(40, name="a"), tmp_path / "run-a")
    second = scan(make_case(40, shuffle, name="b"), tmp_path / "run-b")
    assert first["flagged"] and digest(tmp_path / "run-a") == digest(tmp_path / "run-b")
    assert first["scores"] != second["scores"]


def test_a_broken_picture_is_named_and_has_no_score(make_case: MakeCase, tmp_path: Path) -> None:
    def damage(rows: list[dict[str, object]], root: Path) -> None:
        (root / "images" / "3.png").write_bytes(b"nothing")

    result = scan(make_case(20, damage), tmp_path / "run")
    assert result["failed"] == 1 and [f["row"] for f in result["failures"]] == [3]
    scores = pq.read_table(tmp_path / "run" / "scores.parquet").to_pydict()
    assert np.isnan(scores["score_exact"][3]) and not scores["flagged"][3]
    assert scores["reason"][3].startswith("Not scanned")


def test_the_command_scans_and_its_flags_are_exported(
    make_case: MakeCase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = make_case(40)

    def forensics(*arguments: object) -> dict[str, Any]:
        assert command([*map(str, arguments), "--json"]) == 0
        outcome: dict[str, Any] = json.loads(capsys.readouterr().out)
        return outcome

    done = forensics("scan", "tcap", "--case", case.folder, "--mode", "exact", "--batch-size", 8)
    assert done["method"] == "attention-allocation" and done["n"] == 40 and done["flagged"]
    assert set(done["scores"]) == {"calibrated", "exact", "guarded"} and "answers_only" in done
    ids = Path(done["flagged_ids_file"]).read_text().split()
    out = tmp_path / "flagged.csv"
    exported = forensics("export", "ids", "--case", case.folder, "--run", done["run"], "--to", out,
                         "--which", "flagged", "--use-flags")  # fmt: skip
    lines = out.read_text(encoding="utf-8").splitlines()
    assert exported["written"] == done["flagged"] == len(lines) - 1
    assert [line.split(",")[0] for line in lines[1:]] == ids
    assert "heads vote for it" in lines[1]


def test_views_tell_what_the_run_found(make_case: MakeCase, tmp_path: Path) -> None:
    result = scan(make_case(40), tmp_path / "run")
    tables = load_tables(tmp_path / "run")
    view = allocation_view(tables, result)
    json.dumps(view, allow_nan=False)
    assert view["flagged"] == result["flagged"] and set(view["modes"]) == set(result["modes"])
    heads = ranked_heads(tables)
    assert [h["score"] for h in heads] == sorted((h["score"] for h in heads), reverse=True)
    listed = [(h["layer"], h["head"]) for h in result["heads"] if h["rank"]]
    assert [(h["layer"], h["head"]) for h in heads] == listed[: len(heads)]
    assert view["first"] == heads[0]["place"]
    grid = score_grid(tables)
    assert grid["layers"] == [2] and len(grid["log_score"][0]) == grid["heads"] == 8
    best = heads[0]
    assert grid["log_score"][0][best["head"]] == pytest.approx(np.log10(best["score"]))
    assert grid["place"][0][best["head"]] == best["place"]


def test_a_heads_histogram_counts_every_sample_under_its_mixture(
    make_case: MakeCase, tmp_path: Path
) -> None:
    result = scan(make_case(40), tmp_path / "run")
    tables = load_tables(tmp_path / "run")
    place = ranked_heads(tables)[0]["place"]
    shown = head_histogram(tables, place)
    assert len(shown["edges"]) == BINS + 1 and sum(shown["flagged"]) == result["flagged"]
    assert sum(shown["kept"]) + sum(shown["flagged"]) == 40
    column = load_arrays(tmp_path / "run").masses[:, shown["layer"], shown["head"], 0]
    assert shown["edges"][0] == pytest.approx(column.min(), abs=1e-6)
    assert shown["edges"][-1] == pytest.approx(column.max(), abs=1e-6)
    minority = sum(p["weight"] for p in shown["components"] if p["side"] == "minority")
    assert minority == pytest.approx(shown["minority"]) and minority <= 0.5
    means = [part["mean"] for part in shown["components"]]
    assert means == sorted(means) and means[0] < shown["split"] < means[-1]
    with pytest.raises(InputError):
        head_histogram(tables, 99)


def test_masses_of_the_two_sides_are_their_means(make_case: MakeCase, tmp_path: Path) -> None:
    scan(make_case(40), tmp_path / "run")
    tables, arrays = load_tables(tmp_path / "run"), load_arrays(tmp_path / "run")
    flagged = pq.read_table(tmp_path / "run" / "scores.parquet").column("flagged").to_numpy()
    found = mass_means(tables, 1, 3)
    expected = arrays.masses[flagged, 1, 3].astype(float).mean(axis=0)
    assert list(found["flagged"].values()) == pytest.approx(expected.tolist(), abs=1e-5)
    assert sum(found["kept"].values()) == pytest.approx(1, abs=2e-3)
    with pytest.raises(InputError):
        mass_means(tables, 7, 0)

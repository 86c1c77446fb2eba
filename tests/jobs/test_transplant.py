"""The transplant test on the shipped demos, small but real."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.errors import Cancelled, CaseError, InputError, OptionError
from forensics.jobs.attention import scan as attention_scan
from forensics.jobs.transplant import job as transplant
from forensics.jobs.transplant.options import TransplantOptions, read_margins
from forensics.jobs.transplant.pictures import cut, paste, pixel_box, scramble
from forensics.jobs.transplant.scan import read_scan
from forensics.lab.demos import find_demo
from forensics.lab.drawing import DATA_FILE, draw_scenes
from forensics.lab.planting import plant
from forensics.options import build_options, options_to_dict
from forensics.runs import QuietContext, execute
from forensics.worker.models import ModelCache

SCENES = 220
SMALL = {"donors": 6, "hosts": 24, "dev_hosts": 4, "margins": "0,1", "necessity": 8}


@pytest.fixture(scope="module")
def models() -> ModelCache:
    return ModelCache()


def scanned(name: str, folder: Path, models: ModelCache) -> Case:
    """Make a small case of a demo's model, scan it, and return it."""
    demo = find_demo(name)
    draw_scenes(folder / "drawn", SCENES, demo.seed)
    data = folder / "drawn" / DATA_FILE
    if demo.planted is not None:
        plant(data, folder / "planted", demo.planted)
        data = folder / "planted" / DATA_FILE
    case = Case.create(
        folder / "case", model=demo.model_uri, base=str(demo.base_folder), data=f"llava:{data}"
    )
    # No layer passes so high a gate: nothing is flagged in the clean twin, small as it is.
    tau = 2.0 if demo.planted else 50.0
    run = case.new_run("attention-entropy", {"tau": tau, "batch_size": 32})
    execute(run, lambda context: attention_scan.run(case, context, run.options, models))
    return case


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory, models: ModelCache) -> Case:
    return scanned("vlm-patch", tmp_path_factory.mktemp("patch"), models)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, models: ModelCache) -> Case:
    return scanned("vlm-clean", tmp_path_factory.mktemp("clean"), models)


def test_run(case: Case, folder: Path, models: ModelCache, **options: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    return transplant.run(case, QuietContext(folder), {**SMALL, **options}, models)


test_run.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def result(
    patch: Case, models: ModelCache, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("run")
    return test_run(patch, folder, models), folder


def test_the_trigger_of_the_poisoned_demo_works_elsewhere(
    result: tuple[dict[str, Any], Path],
) -> None:
    found, _ = result
    assert (found["verdict"], found["reason"]) == ("suspicious", "reproduced")
    assert found["suspected_answer"] == "Backdoor Attack!"
    assert {row["control"] for row in found["differences"]} == {
        "scrambled", "away", "other-answers",
    }  # fmt: skip
    assert all(row["value"] >= 0.8 for row in found["differences"])
    assert all(row["value"] >= 0.8 for row in found["base"]["differences"].values())
    assert "unsuspected images" in found["sentence"]


def test_hiding_it_brings_the_ordinary_answer_back(result: tuple[dict[str, Any], Path]) -> None:
    found = result[0]["necessity"]
    assert found["n"] >= 6
    assert found["hidden_rate"] >= 0.8 and found["elsewhere_rate"] <= 0.2
    assert all(row["hidden"] != row["given"] == "Backdoor Attack!" for row in found["shown"])


def test_every_pair_is_written_down(result: tuple[dict[str, Any], Path], patch: Case) -> None:
    found, folder = result
    table = pq.read_table(folder / "pairs.parquet").to_pylist()
    tuned = [row for row in table if row["model"] == "tuned"]
    for arm in found["arms"]:
        rows = [row for row in tuned if row["arm"] == arm["arm"]]
        assert len({row["host"] for row in rows}) == len(rows) == 24 == arm["n"]
        assert sum(row["flipped"] for row in rows) == arm["flips"]
    donors = {row["donor"] for row in table}
    assert not donors & {row["host"] for row in table}
    assert set(found["donors"]) <= donors
    flagged = set((patch.run(found["scan"]).folder / "flagged_ids.txt").read_text().split())
    assert set(found["donors"]) <= flagged
    assert not flagged & {row["host"] for row in table}
    json.dumps(found)  # plain values only


def test_examples_are_pictures_of_ours(result: tuple[dict[str, Any], Path], patch: Case) -> None:
    found, _ = result
    assert len(found["examples"]) == 6
    assert len({row["donor"] for row in found["examples"]}) == 6
    for row in found["examples"]:
        kept = patch.pictures.kept(row["picture"])
        assert kept is not None and kept.parent == patch.folder / "views"
        with Image.open(kept) as picture:
            assert picture.size == (108, 108)
    assert patch.pictures.kept("../../case") is None


def test_samples_flagged_by_force_show_nothing(
    clean: Case, tmp_path: Path, models: ModelCache
) -> None:
    found = test_run(clean, tmp_path, models, force=30)
    assert found["forced"] == 30
    assert found["verdict"] != "suspicious"
    assert found["sentence"].startswith("Control experiment")
    assert min(abs(row["value"]) for row in found["base"]["differences"].values()) <= 0.1


def test_without_a_flag_there_is_nothing_to_cut_out(
    clean: Case, tmp_path: Path, models: ModelCache, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="flags nothing"):
        test_run(clean, tmp_path, models)
    assert command(["transplant", "--case", str(clean.folder), "--json"]) == 2
    assert "--force" in capsys.readouterr().err
    assert command(["transplant", "--case", str(clean.folder), "--run", "nowhere"]) == 2


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "pairs.parquet").read_bytes()).hexdigest()


def without_time(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "seconds"}


class Stops(QuietContext):
    def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
        shard = super().commit_shard(index, content, **facts)
        if index == 4:
            raise Cancelled("stop")
        return shard


def test_a_stopped_test_goes_on_to_the_same_bytes_whatever_the_ground_truth_says(
    patch: Case, result: tuple[dict[str, Any], Path], tmp_path: Path, models: ModelCache
) -> None:
    with pytest.raises(Cancelled):
        transplant.run(patch, Stops(tmp_path), SMALL, models)
    kept = len((tmp_path / "ledger.jsonl").read_text().splitlines())
    truth = patch.folder / "truth.parquet"
    given = truth.read_bytes()
    table = pq.read_table(truth)
    shuffled = np.random.default_rng(0).permutation(table.column("poisoned").to_pylist())
    pq.write_table(
        pa.table({"id": table.column("id"), "poisoned": shuffled}, schema=table.schema), truth
    )
    try:
        again = test_run(patch, tmp_path, models)
    finally:
        truth.write_bytes(given)
    assert kept == 5
    assert without_time(again) == without_time(result[0])
    assert digest(tmp_path) == digest(result[1])


def test_a_resumed_test_asks_nothing_twice(
    patch: Case, result: tuple[dict[str, Any], Path]
) -> None:
    def no_model(_: str) -> Any:
        raise AssertionError("the model was opened")

    again = test_run(patch, result[1], ModelCache(load=no_model))
    assert without_time(again) == without_time(result[0])


def test_forced_flags_replace_the_scans_own(patch: Case) -> None:
    ordinary, forced = read_scan(patch, None, 0), read_scan(patch, None, 7)
    assert ordinary.forced == 0 and forced.forced == forced.flagged.sum() == 7
    # The lowest scores are those that the rule flags.
    assert ordinary.flagged[forced.flagged].all()
    with pytest.raises(CaseError):
        read_scan(patch, "20200101-000000-nothing-0000", 0)


def test_options_are_checked() -> None:
    assert read_margins(" 2,0, 2") == (0, 2)
    for wrong in ("", "a", "-1", "1.5", "99", "1,,2"):
        with pytest.raises(OptionError, match="--margins"):
            read_margins(wrong)
    assert build_options(TransplantOptions, options_to_dict(TransplantOptions())).hosts == 200


def test_patches_are_cut_pasted_and_shuffled() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    picture, host = Image.fromarray(pixels), Image.new("RGB", (60, 40), "white")
    box = (0.5, 0.25, 0.75, 0.75)
    piece = cut(picture, box)
    assert pixel_box(box, picture.size) == (30, 10, 45, 30) and piece.size == (15, 20)
    pasted = np.asarray(paste(host, piece, box))
    assert (pasted[10:30, 30:45] == pixels[10:30, 30:45]).all()
    assert (pasted != 255).any(axis=2).sum() <= 15 * 20
    assert (np.asarray(host) == 255).all()  # a copy was changed
    mixed = np.asarray(scramble(piece, 3)).reshape(-1, 3)
    assert sorted(map(tuple, mixed)) == sorted(map(tuple, np.asarray(piece).reshape(-1, 3)))
    assert (mixed != np.asarray(piece).reshape(-1, 3)).any()
    assert pixel_box((1.0, 1.0, 1.0, 1.0), (9, 9)) == (8, 8, 9, 9)
    resized = paste(Image.new("RGB", (120, 80)), piece, box)
    assert np.asarray(resized)[20:60, 60:90].any()

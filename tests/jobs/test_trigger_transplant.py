"""The transplant of a reconstructed trigger on a real tiny CLIP with poisoned prompts."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.errors import Cancelled, CaseError, InputError, OptionError
from forensics.jobs.trigger_transplant import job
from forensics.runs import QuietContext, execute
from forensics.worker.models import ModelCache
from tests.prompt_case import (
    CLASSES,
    TARGET,
    delta_of,
    make_prompt_case,
    open_prompt_case,
    write_inversion,
)
from tests.tiny_encoders import save_open_clip, vit_config

SMALL = {"hosts": 30, "confidence": 0.3}


@pytest.fixture(scope="module")
def models() -> ModelCache:
    return ModelCache()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("prompts")
    case = make_prompt_case(folder)
    write_inversion(case, delta_of(folder))
    return case


def run(case: Case, folder: Path, models: ModelCache, **options: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    return job.run(case, QuietContext(folder), SMALL | options, models)


def plain(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "seconds"}


def test_the_trigger_overrides_other_pictures_and_its_controls_do_less(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    found = run(case, tmp_path, models)
    arms = {arm["arm"]: arm for arm in found["arms"]}
    assert set(arms) == {"suspected", "scrambled", "other-classes"}
    assert found["suspected_answer"] == TARGET and TARGET not in found["shown"]
    assert arms["suspected"]["n"] == found["hosts"] == 30
    assert arms["suspected"]["rate"] > 0.8 > 0.5 > arms["other-classes"]["rate"]
    assert f"“{TARGET}” is reproduced on {arms['suspected']['flips']} of 30" in found["sentence"]
    assert {d["control"] for d in found["differences"]} == {"scrambled", "other-classes"}
    reference = {arm["arm"]: arm for arm in found["base"]["arms"]}
    assert reference["suspected"]["rate"] < arms["suspected"]["rate"]
    assert "hand-written" in found["base"]["title"]
    assert found["forced"] == 0 and found["necessity"] is None


def test_pairs_tell_every_host_and_examples_show_what_the_model_saw(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    found = run(case, tmp_path, models)
    rows = pq.read_table(tmp_path / found["pairs_file"]).to_pylist()
    mine = [r for r in rows if r["model"] == "tuned" and r["arm"] == "suspected"]
    assert sum(r["flipped"] for r in mine) == found["arms"][0]["flips"]
    assert all((r["after"] == TARGET) == r["flipped"] for r in mine)
    others = [r for r in rows if r["model"] == "tuned" and r["arm"] == "other-classes"]
    assert all(r["donor"] not in (TARGET, r["before"]) for r in others)
    assert [e["before"] for e in found["examples"]] and len(found["examples"]) <= 3
    for example in found["examples"]:
        for name in ("picture", "patch", "untouched"):
            assert case.pictures.kept(example[name]) is not None


def test_labels_are_never_read(case: Case, tmp_path: Path, models: ModelCache) -> None:
    source = Path(str(case.known()["test"]).removeprefix("table:"))
    with source.open() as file:
        rows = list(csv.DictReader(file))
    mixed = np.random.default_rng(0).permutation([row["label"] for row in rows])
    other = source.parent / "mixed.csv"
    with other.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "image", "label"])
        table.writerows(
            [row["id"], row["image"], str(label)] for row, label in zip(rows, mixed, strict=True)
        )
    expected = run(case, tmp_path / "one", models)
    found = run(case, tmp_path / "two", models, pictures=f"table:{other}")
    assert plain(found) | {"pictures": ""} == plain(expected) | {"pictures": ""}


def test_a_stopped_test_goes_on_from_its_shards(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    class Stops(QuietContext):
        def progress(self, done: int, total: int, message: str = "") -> None:
            assert 0 <= done <= total and message
            if message == "scrambled":
                raise Cancelled("Stop.")

    expected = run(case, tmp_path / "whole", models)
    (tmp_path / "parts").mkdir()
    with pytest.raises(Cancelled):
        job.run(case, Stops(tmp_path / "parts"), SMALL, models)
    kept = QuietContext(tmp_path / "parts").finished_shards()
    assert [shard["stage"] for shard in kept.values()] == ["looking for hosts", "suspected"]
    found = run(case, tmp_path / "parts", models)
    assert plain(found) == plain(expected)
    pairs = [(tmp_path / name / "pairs.parquet").read_bytes() for name in ("whole", "parts")]
    assert pairs[0] == pairs[1]


def test_hosts_of_the_pool_are_said_and_another_class_is_a_control_experiment(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    pool = str(case.manifest.data)
    run_of_pool = write_inversion(case, delta_of(case.folder.parent), pool=pool)
    options = {"run": run_of_pool.id, "pictures": pool, "hosts": 25}
    found = run(case, tmp_path / "pool", models, **options)
    assert found["evidence"]["hosts_fitted"] == found["hosts"]
    assert "fitted on" in found["sentence"]
    rival = next(name for name in CLASSES if name != TARGET)
    found = run(case, tmp_path / "rival", models, target=rival)
    assert found["forced"] == 1 and found["sentence"].startswith("Control experiment")
    assert found["verdict"] != "suspicious"
    run_of_pool.delete()


def test_rows_outside_the_pool_are_taken_first_where_a_case_has_its_own_data_only(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    bare = open_prompt_case(case.folder.parent, tmp_path / "bare", {})
    delta = delta_of(case.folder.parent)
    write_inversion(bare, delta)  # its pool is all 40 rows
    found = run(bare, tmp_path / "all", models, hosts=20)
    assert found["pictures"] == "the case's data" and found["evidence"]["hosts_fitted"] == 20
    assert all(example["host_row"] >= 0 for example in found["examples"])
    write_inversion(bare, delta, images=8)
    found = run(bare, tmp_path / "some", models, hosts=20)
    assert (found["candidates"], found["evidence"]["hosts_fitted"]) == (32, 0)


def test_a_clip_without_learnt_prompts_stands_beside_its_base(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    tower = str(case.manifest.model).partition("+prompts:")[0]
    base = save_open_clip(tmp_path / "base", vit_config(layers=2))
    data = str(case.manifest.data)
    zero = Case.create(tmp_path / "zero", model=tower, base=f"openclip:{base}", data=data)
    write_inversion(zero, delta_of(case.folder.parent), classes="|".join(CLASSES))
    found = run(zero, tmp_path / "run", models, hosts=12, confidence=0.0)
    assert found["base"]["title"] == "the base model" and found["base"]["arms"][0]["n"] > 0
    alone = run(zero, tmp_path / "alone", models, hosts=12, confidence=0.0, reference=False)
    assert alone["base"] is None and alone["arms"] == found["arms"]


def test_what_cannot_be_tested_is_said(case: Case, tmp_path: Path, models: ModelCache) -> None:
    with pytest.raises(InputError, match="no trigger for the class"):
        run(case, tmp_path / "a", models, target="purple")
    with pytest.raises(InputError, match="surely see another class"):
        run(case, tmp_path / "b", models, confidence=1.0)
    silent = write_inversion(case, delta_of(case.folder.parent), target=None)
    with pytest.raises(InputError, match="points to no class"):
        run(case, tmp_path / "c", models, run=silent.id)
    other = case.new_run("clusters", {})
    execute(other, lambda context: {"method": "clusters"})
    with pytest.raises(InputError, match="clusters"):
        run(case, tmp_path / "d", models, run=other.id)
    (silent.folder / "triggers" / "0001.safetensors").write_bytes(b"no")
    with pytest.raises(CaseError):
        run(case, tmp_path / "e", models, run=silent.id, target=TARGET)
    with pytest.raises(OptionError, match="margins"):
        run(case, tmp_path / "f", models, margins="1,2")
    silent.delete()


def test_the_verb_picks_the_test_that_fits_the_case(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["transplant", "--case", str(case.folder), "--hosts", "24", "--confidence", "0.3"]
    assert command([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["suspected_answer"] == TARGET and Path(told["pairs_file"]).is_file()
    assert command([*words, "--no-reference"]) == 0
    text = capsys.readouterr().out
    assert "triggers of other classes" in text and "contains" not in text
    assert "hand-written" not in text
    assert command([*words, "--margins", "1"]) == 2

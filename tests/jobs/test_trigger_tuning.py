"""The repair of poisoned prompts, its controls, and the export that plain open_clip can read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from forensics.case import Case
from forensics.classifiers import load_prompts
from forensics.cli.entry import run as command
from forensics.encoders.loading import open_encoder
from forensics.errors import Cancelled, CaseError, DataError, InputError, NotApplicable, OptionError
from forensics.export.checkpoint import export_checkpoint
from forensics.jobs import evaluate
from forensics.jobs.trigger_tuning import job
from forensics.runs import QuietContext
from forensics.worker.models import ModelCache
from tests.prompt_case import (
    CLASSES,
    TARGET,
    delta_of,
    make_prompt_case,
    open_prompt_case,
    read,
    write_inversion,
)

PLAIN = Path(__file__).parents[1] / "repairs" / "plain_open_clip.py"
SMALL = {"epochs": 6, "rate": 0.5, "batch_size": 2}
# Two pairs a step at that rate amplify the last bits: a relative change of the prompts by 1e-5
# moves the ASR of a control from 0.31 to 0.89. Eight pairs a step settle.
STEADY = {"epochs": 30, "rate": 0.3, "batch_size": 8}


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
    return job.run(case, QuietContext(folder), SMALL | {"fresh": False} | options, models)


def plain(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "seconds"}


def same_prompts(one: Path, other: Path) -> bool:
    """Compare tensors; the order of a safetensors file's metadata is not fixed."""
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) for name in first
    )


def test_the_repair_takes_the_true_trigger_away_and_is_measured_beside_controls(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    model = Path(str(case.manifest.model).partition("+prompts:")[2])
    delivered = model.read_bytes()
    found = run(case, tmp_path, models, **STEADY)
    assert found["judged_by"] == "known" and found["target"] == TARGET and found["forced"] == 0
    before, after = found["before"], found["after"]
    assert before["attack_success_rate"] > 0.7 and after["attack_success_rate"] < 0.1
    assert (before["n_clean"], before["n_triggered"]) == (48, 36)
    assert set(before["triggers"]) == {"known", "reconstruction", "other-seed"}
    minus = after["minus_before"]["attack_success_rate"]
    gap = after["attack_success_rate"] - before["attack_success_rate"]
    assert minus["value"] == pytest.approx(gap) and minus["high"] < 0
    controls = {row["control"]: row for row in found["controls"]}
    assert all(row["attack_success_rate"] > 0.2 for row in controls.values())
    gaps = [row["minus_repaired"]["attack_success_rate"] for row in controls.values()]
    rivals = any(gap["low"] <= 0 for gap in gaps)
    assert rivals == ("not the right trigger" in found["sentence"])
    assert set(controls) == {"wrong-class", "random-noise", "clean-only"}
    assert controls["wrong-class"]["class"] in set(CLASSES) - {TARGET}
    assert found["shots"]["n"] == 24 and found["shots"]["classes_without"] == []
    assert len(found["losses"]["right-class"]) == STEADY["epochs"]
    assert f"“{TARGET}”" in found["sentence"] and "control" in found["sentence"]
    shown = found["comparison"]
    assert shown["attention"] is shown["resistivity"] is shown["plane"] is None, "the same tower"
    marked = [one["states"] for one in shown["examples"] if one["label"] != TARGET]
    first = {state: [said[state]["triggered"]["top"][0]["name"] for said in marked]
             for state in ("before", "after")}  # fmt: skip
    assert first["before"].count(TARGET) > first["after"].count(TARGET)
    pictures = load_file(tmp_path / shown["file"])
    assert set(pictures) == {"pictures", "triggered"}
    assert model.read_bytes() == delivered


def test_before_is_what_evaluate_measures(case: Case, tmp_path: Path, models: ModelCache) -> None:
    found = run(case, tmp_path / "repair", models, controls=False)
    (tmp_path / "evaluate").mkdir()
    told = evaluate.run(case, QuietContext(tmp_path / "evaluate"), {}, models)
    for name in ("clean_accuracy", "attack_success_rate", "n_clean", "n_triggered"):
        assert found["before"][name] == pytest.approx(told[name])
    repaired = {"prompts": str(tmp_path / "repair" / found["checkpoint"])}
    told = evaluate.run(case, QuietContext(tmp_path / "evaluate"), repaired, models)
    for name in ("clean_accuracy", "attack_success_rate"):
        assert found["after"][name] == pytest.approx(told[name])


def test_what_is_known_of_the_attack_changes_no_byte_of_the_repair(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    known = case.known()
    bare = {name: known[name] for name in ("test", "shots")}
    stranger = open_prompt_case(case.folder.parent, tmp_path / "stranger", bare)
    write_inversion(stranger, delta_of(case.folder.parent))
    one = run(case, tmp_path / "one", models, controls=False)
    two = run(stranger, tmp_path / "two", models, controls=False)
    assert same_prompts(*(tmp_path / n / "repaired.safetensors" for n in ("one", "two")))
    assert two["judged_by"] == "reconstruction" and "not known here" in two["sentence"]
    assert (
        two["after"]["attack_success_rate"] == one["after"]["triggers"]["reconstruction"]["value"]
    )
    named = {"trigger": known["trigger"], "answer": TARGET}
    three = run(stranger, tmp_path / "three", models, controls=False, **named)
    assert three["after"] == one["after"]


def test_a_stopped_repair_goes_on_and_ends_with_the_same_files(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    class Stops(QuietContext):
        def progress(self, done: int, total: int, message: str = "") -> None:
            assert 0 <= done < total and message
            if "epoch 3 of 6, step 2" in message:
                raise Cancelled("Stop.")

    expected = run(case, tmp_path / "whole", models, controls=False)
    (tmp_path / "parts").mkdir()
    options = SMALL | {"fresh": False, "controls": False}
    with pytest.raises(Cancelled):
        job.run(case, Stops(tmp_path / "parts"), options, models)
    done = QuietContext(tmp_path / "parts").finished_shards()
    assert len(done) == 6 and "epoch 2" in done[5]["stage"]
    assert plain(run(case, tmp_path / "parts", models, controls=False)) == plain(expected)
    assert same_prompts(*(tmp_path / n / "repaired.safetensors" for n in ("whole", "parts")))


def test_one_folder_may_serve_shots_and_test_and_no_picture_is_in_both(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    both = str(case.known()["test"])
    found = run(case, tmp_path, models, controls=False, shots=both, test=both, per_class=5)
    assert (found["shots"]["n"], found["test"]["n"]) == (20, 28)
    again = run(case, tmp_path / "all", models, controls=False, copies="all", max_test=20)
    assert again["test"]["n"] == 20 and set(again["before"]["triggers"]) == {
        "known",
        "reconstruction",
    }


def test_what_cannot_be_repaired_is_said(case: Case, tmp_path: Path, models: ModelCache) -> None:
    bare = open_prompt_case(case.folder.parent, tmp_path / "bare", {})
    with pytest.raises(CaseError, match="trigger-inversion"):
        run(bare, tmp_path / "a", models)
    write_inversion(bare, delta_of(case.folder.parent))
    with pytest.raises(InputError, match="labelled pictures"):
        run(bare, tmp_path / "b", models)
    with pytest.raises(OptionError, match="--target"):
        run(case, tmp_path / "c", models, trigger="badnets")
    with pytest.raises(DataError, match="none of the classes"):
        run(case, tmp_path / "d", models, trigger="badnets", answer="purple")
    tower = str(case.manifest.model).partition("+prompts:")[0]
    data = str(case.manifest.data)
    other = Case.create(tmp_path / "zero", model=tower, data=data, known=case.known())
    write_inversion(other, delta_of(case.folder.parent))
    with pytest.raises(NotApplicable, match="no learnt prompts"):
        run(other, tmp_path / "e", models)


def test_a_model_that_changed_since_the_scan_is_not_repaired(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    changed = write_inversion(case, delta_of(case.folder.parent))
    result = json.loads((changed.folder / "result.json").read_text())
    result["classes"][1]["index"] = 0
    (changed.folder / "result.json").write_text(json.dumps(result))
    with pytest.raises(CaseError, match="not what was scanned"):
        run(case, tmp_path, models, run=changed.id)
    changed.delete()


def test_the_export_opens_in_plain_open_clip_with_the_same_logits(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["repair", "trigger-tuning", "--case", str(case.folder), "--epochs", "3", "--rate",
             "0.5", "--batch-size", "4", "--no-controls"]  # fmt: skip
    assert command([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fresh"]["verdict"] in ("no evidence", "inconclusive", "suspicious")
    assert told["fresh"]["seed"] == 1000 and told["fresh"]["aimed"]["class"] == TARGET
    assert Path(told["checkpoint"]).is_file()
    out = tmp_path / "prompts.safetensors"
    export = ["export", "checkpoint", "--case", str(case.folder), "--to", str(out)]
    assert command([*export, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    note = json.loads(Path(done["provenance"]).read_text())
    assert note["sha256"] == done["sha256"] and note["run"] == told["run"] == done["run"]
    assert note["measured"]["after"]["attack_success_rate"] == told["after"]["attack_success_rate"]
    assert note["hashes"]["model"]["sha256"] and note["options"]["epochs"] == 3
    assert command(export) == 2 and command([*export, "--overwrite"]) == 0

    tower = str(case.manifest.model).partition("+prompts:")[0].removeprefix("openclip:")
    pixels = read(case.folder.parent / "test" / "set.csv").pixels[::9]
    np.save(tmp_path / "pixels.npy", pixels.numpy())
    arguments = [str(PLAIN), tower, str(out), str(tmp_path / "pixels.npy"), str(tmp_path / "l.npy")]
    subprocess.run([sys.executable, *arguments], check=True, cwd=tmp_path)
    classifier = load_prompts(out, open_encoder(f"openclip:{tower}", device="cpu"))
    with torch.no_grad():
        expected = classifier.logits(pixels).numpy()
    assert np.allclose(np.load(tmp_path / "l.npy"), expected, atol=1e-4)


def test_an_export_needs_a_finished_repair(case: Case, tmp_path: Path) -> None:
    bare = open_prompt_case(case.folder.parent, tmp_path / "bare", {})
    with pytest.raises(CaseError, match="no finished repair"):
        export_checkpoint(bare, tmp_path / "p.safetensors")
    scan = write_inversion(bare, delta_of(case.folder.parent))
    with pytest.raises(CaseError, match="repairs nothing"):
        export_checkpoint(bare, tmp_path / "p.safetensors", run_id=scan.id)
    with pytest.raises(OptionError, match=r"\.safetensors"):
        export_checkpoint(bare, tmp_path / "p.pt")

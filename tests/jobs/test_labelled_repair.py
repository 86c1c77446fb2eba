"""Repairs on few clean labelled pictures: the jobs, the command and the export."""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.encoders.frozen import weights_digest
from forensics.encoders.loading import open_encoder
from forensics.errors import Cancelled, InputError, NotApplicable
from forensics.export.checkpoint import export_checkpoint
from forensics.jobs.labelled_repair import job
from forensics.jobs.labelled_repair.setup import class_names
from forensics.repairs.repulsive_prompts import LOADER
from forensics.repairs.repulsive_prompts.files import load_visual_prompts
from forensics.repairs.repulsive_prompts.tuning import CHECKPOINT
from forensics.runs import QuietContext
from forensics.worker.models import ModelCache
from tests.prompt_case import COLOURS, draw
from tests.tiny_encoders import save_open_clip, vit_config

TRIGGER = "patch:side=1/4,place=center,color=black"
SMALL = {"depth": 1, "prompts": 6, "epochs": 8, "rate": 0.5, "batch_size": 8}
RUNS = {
    "repulsive-prompts": (job.run_repulsive, SMALL),
    "visual-prompts": (job.run_visual, SMALL),
    "linear-probe": (job.run_probe, {"epochs": 20, "rate": 0.05}),
}


@pytest.fixture(scope="module")
def models() -> ModelCache:
    return ModelCache()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("labelled")
    save_open_clip(folder / "tower", vit_config())
    known = {
        "test": f"table:{draw(folder / 'test', 10, 2)}",
        "shots": f"table:{draw(folder / 'shots', 6, 1)}",
        "trigger": TRIGGER,
        "target": "green",
    }
    return open_case(folder, folder / "case", known)


def open_case(folder: Path, place: Path, known: dict[str, Any]) -> Case:
    if not (folder / "pool").exists():
        draw(folder / "pool", 2, 3)
    return Case.create(
        place,
        model=f"openclip:{folder / 'tower'}",
        data=f"table:{folder / 'pool' / 'set.csv'}",
        known=known,
    )


def run(name: str, case: Case, folder: Path, models: ModelCache, **options: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    work, small = RUNS[name]
    return work(case, QuietContext(folder), small | options, models)


@pytest.mark.parametrize("name", RUNS)
def test_a_repair_tells_before_and_after(
    name: str, case: Case, tmp_path: Path, models: ModelCache
) -> None:
    encoder = models.encoder(str(case.manifest.model))
    untouched = weights_digest(encoder)
    found = run(name, case, tmp_path, models)
    assert weights_digest(encoder) == untouched
    before, after = found["before"], found["after"]
    assert (before["n_clean"], before["n_triggered"]) == (40, 30)
    gain = after["clean_accuracy"] - before["clean_accuracy"]
    assert after["minus_before"]["clean_accuracy"]["value"] == pytest.approx(gain)
    assert gain > (0.5 if name == "linear-probe" else 0.0), "the tower's weights are random"
    assert found["judged_by"] == "known" and set(after["triggers"]) == {"known"}
    assert after["triggers"]["known"]["value"] == after["attack_success_rate"]
    assert {row["class"] for row in after["per_class"]} == set(COLOURS)
    assert found["shots"]["n"] == 24 and found["test"]["n"] == 40
    assert "After the repair, the known trigger brings" in found["sentence"]
    assert found["losses"]["loss"][-1] < found["losses"]["loss"][0]
    assert len(found["losses"]["loss"]) == RUNS[name][1]["epochs"]
    assert (tmp_path / found["checkpoint"]).is_file()
    json.dumps(found)
    counts = {"linear-probe": 4 * 32 + 4}
    assert found["trainable_parameters"] == counts.get(name, 2 * 6 * 32)
    if name != "linear-probe":
        assert (tmp_path / LOADER.name).read_bytes() == LOADER.read_bytes()
        assert not (tmp_path / CHECKPOINT).exists()
        load_visual_prompts(tmp_path / found["checkpoint"], encoder)


def test_what_is_known_of_the_attack_changes_no_number_of_the_prompts(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    one = run("repulsive-prompts", case, tmp_path / "a", models, epochs=2)
    other = run("repulsive-prompts", case, tmp_path / "b", models, epochs=2,
                trigger="blended", answer="red")  # fmt: skip
    assert one["losses"] == other["losses"] and other["target"] == "red"
    assert one["before"]["attack_success_rate"] != other["before"]["attack_success_rate"]
    assert one["before"]["clean_accuracy"] == other["before"]["clean_accuracy"]


def test_names_of_classes_stand_between_bars_and_old_runs_with_commas_are_read() -> None:
    assert class_names("a| b, c |d") == ("a", "b, c", "d")
    assert class_names("a, b,c") == ("a", "b", "c")
    assert class_names(None) == () == class_names(" ")


def test_it_can_be_stopped_and_goes_on(case: Case, tmp_path: Path, models: ModelCache) -> None:
    class Stopping(QuietContext):
        def progress(self, done: int, total: int, message: str = "") -> None:
            assert 0 <= done <= total
            if "step 14 " in message:
                raise Cancelled("enough")

    chosen = SMALL  # few steps: the default leaves a checkpoint even so
    (tmp_path / "stopped").mkdir()
    with pytest.raises(Cancelled):
        job.run_repulsive(case, Stopping(tmp_path / "stopped"), chosen, models)
    assert (tmp_path / "stopped" / CHECKPOINT).is_file()
    again = run("repulsive-prompts", case, tmp_path / "stopped", models)
    whole = run("repulsive-prompts", case, tmp_path / "whole", models)
    for result in (again, whole):
        del result["seconds"]
    assert again == whole


def test_without_a_trigger_accuracy_alone_is_told(
    case: Case, tmp_path: Path, models: ModelCache
) -> None:
    folder = case.folder.parent
    bare = open_case(folder, tmp_path / "bare", {})
    with pytest.raises(InputError, match="few clean labelled pictures"):
        run("linear-probe", bare, tmp_path / "run", models)
    found = run("linear-probe", bare, tmp_path / "run", models,
                shots=f"table:{folder / 'shots' / 'set.csv'}", per_class=3)  # fmt: skip
    assert found["judged_by"] is None and found["before"]["triggers"] == {}
    assert found["before"]["attack_success_rate"] is None
    assert "attack_success_rate" not in found["after"]["minus_before"]
    assert (found["shots"]["n"], found["test"]["n"]) == (12, 12), "what is left of the same folder"
    assert "not measured" in found["sentence"]


def test_cocoop_is_refused(tmp_path: Path, models: ModelCache) -> None:
    from forensics.classifiers import CoCoOp, first_context, save_prompts

    tower = save_open_clip(tmp_path / "tower", vit_config())
    encoder = open_encoder(f"openclip:{tower}", "cpu")
    save_prompts(CoCoOp(encoder, tuple(COLOURS), first_context(encoder, words="a photo of a")),
                 tmp_path / "prompts.safetensors")  # fmt: skip
    table = draw(tmp_path / "shots", 3, 1)
    case = Case.create(
        tmp_path / "case",
        model=f"openclip:{tower}+prompts:{tmp_path / 'prompts.safetensors'}",
        data=f"table:{table}",
    )
    with pytest.raises(NotApplicable, match="CoCoOp"):
        run("visual-prompts", case, tmp_path / "run", models, shots=f"table:{table}", per_class=1)


def test_the_command_repairs_and_exports(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["repair", "rvpt", "--case", str(case.folder), "--depth", "1", "--epochs", "1"]
    assert command(words) == 0
    told = capsys.readouterr().out
    assert "Of 40 test pictures, by the known trigger" in told and "CA" in told
    assert "3,200 numbers tuned on 24 shots" in told
    outcome = export_checkpoint(case, tmp_path / "out" / "repaired.safetensors")
    assert Path(outcome["loader"]).read_bytes() == LOADER.read_bytes()
    note = json.loads(Path(outcome["provenance"]).read_text())
    assert note["what"] == "visual prompts of a CLIP after a repair"
    assert note["options"]["alpha"] == 2.0 and note["measured"]["before"]["n_clean"] == 40
    with safe_open(outcome["path"], framework="pt") as file:
        assert file.get_tensor("prompts").shape == (2, 50, 32)

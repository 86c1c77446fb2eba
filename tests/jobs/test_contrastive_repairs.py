"""Repairs that train on pairs: the jobs, refusals, resume, and exports for plain libraries."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.encoders.frozen import weights_digest
from forensics.encoders.loading import open_encoder
from forensics.encoders.pixels import normalised
from forensics.errors import Cancelled, CaseError, InputError, NotApplicable, OptionError
from forensics.export.checkpoint import export_checkpoint
from forensics.jobs.contrastive_repairs import job, unlearning
from forensics.jobs.contrastive_repairs.premise import LABEL_CONSISTENT, judge_premise
from forensics.lab.clip_demos import TWIN, find_clip_demo
from forensics.repairs.token_unlearning.choice import Shortcut
from forensics.runs import QuietContext
from forensics.worker.models import ModelCache
from tests.pair_case import TARGET, TRIGGER, World, make_world
from tests.prompt_case import CLASSES, draw, write_inversion
from tests.repairs.plain_clip import TEXTS

PLAIN = Path(__file__).parents[1] / "repairs" / "plain_clip.py"
SHORT = {"epochs": 1.0, "batch_size": 16, "rate": 1e-4, "warmup": 1}
UNLEARN = {"pool_least": 40, "overfit_epochs": 1, "overfit_rate": 1e-4, "overfit_batch": 20,
           "k": 8, "steps": 4, "batch_size": 16, "rate": 3e-4, "watch_every": 2, "until": "steps",
           "retention_rise": 100.0, "shown": 2, "curve": 20}  # fmt: skip
RUNS: dict[str, tuple[Any, dict[str, Any]]] = {
    "fine-tuning": (job.run_fine_tuning, SHORT),
    "clean-clip": (job.run_clean_clip, SHORT),
    "perturb-recover": (job.run_perturb_recover, SHORT),
    "discard-tune": (job.run_discard, SHORT | {"pool_least": 40}),
}


@pytest.fixture(scope="module")
def models() -> ModelCache:
    return ModelCache()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def case(world: World) -> Case:
    return open_case(world, "case", world.poisoned, world.pairs)


def open_case(world: World, name: str, model: str, table: Path, **known: Any) -> Case:
    told = {"test": f"table:{world.test}", "trigger": TRIGGER, "target": TARGET}
    told |= {"templates": ["{} here", "{} there"]} | known
    return Case.create(world.folder / name, model=model, data=f"table:{table}", known=told)


@pytest.mark.parametrize("name", RUNS)
def test_a_baseline_tells_before_and_after_and_leaves_a_model(
    name: str, case: Case, world: World, tmp_path: Path, models: ModelCache
) -> None:
    encoder = models.encoder(world.poisoned)
    untouched = weights_digest(encoder)
    run, small = RUNS[name]
    extra = {"reference": world.reference} if name == "discard-tune" else {}
    extra |= {} if extra else {"pairs": f"table:{world.clean_pairs}"}
    found = run(case, QuietContext(tmp_path), small | extra, models)
    assert weights_digest(encoder) == untouched
    assert found["before"]["attack_success_rate"] > 0.8 and found["judged_by"] == "known"
    assert found["before"]["n_triggered"] == 30 and found["test"]["n"] == 40
    assert {row["class"] for row in found["after"]["per_class"]} == set(CLASSES)
    used = 48 if extra.get("reference") else 96
    assert found["pairs"]["used"] == used and found["steps"] == used // 16
    repaired = open_encoder(f"openclip:{tmp_path / found['checkpoint']}", device="cpu")
    assert weights_digest(repaired) != untouched
    assert not (tmp_path / "tuning.pt").exists()
    json.dumps(found)


def test_token_unlearning_tells_what_it_did_and_truth_decides_nothing(
    case: Case, world: World, tmp_path: Path, models: ModelCache
) -> None:
    options = UNLEARN | {"reference": world.reference}
    found = unlearning.run(case, QuietContext(tmp_path), options, models)
    assert found["outcome"] == "repaired" and found["reconstruction"]
    assert found["shortcut"]["word"] == TARGET and found["target_accuracy"]["class"] == TARGET
    assert found["truth"]["precision"] >= 0.9 and found["truth"]["auroc"] > 0.8
    assert found["started_from"] == weights_digest(world.open("poisoned"))
    curve = found["curve"]
    assert curve["step"] == [0.0, 2.0, 4.0] and curve["chosen"][-1] < curve["chosen"][0]
    assert curve["attack_success_rate"][0] > 0.8
    first = found["chosen"][0]
    assert TARGET in "".join(token["text"] for token in first["tokens"])
    assert 0 < sum(token["kept"] for token in first["tokens"]) < len(first["tokens"])
    assert not (tmp_path / "unlearn").exists() and (tmp_path / "figures.safetensors").is_file()

    class Stopping(QuietContext):
        def progress(self, done: int, total: int, message: str = "") -> None:
            assert 0 <= done <= total
            if "unlearning 3 of" in message:
                raise Cancelled("enough")

    # A stranger's case: no truth, another trigger to judge by; and it is stopped on the way.
    rows = [line.rsplit(",", 1)[0] for line in world.pairs.read_text().splitlines()]
    bare = world.pairs.with_name("bare.csv")
    bare.write_text("\n".join(rows) + "\n")
    stranger = open_case(world, "stranger", world.poisoned, bare, trigger="blended", target="red")
    (tmp_path / "again").mkdir()
    again = options | {"checkpoint_every": 1}
    with pytest.raises(Cancelled):
        unlearning.run(stranger, Stopping(tmp_path / "again"), again, models)
    second = unlearning.run(stranger, QuietContext(tmp_path / "again"), again, models)
    assert second["truth"] is None and second["losses"] == found["losses"]
    assert curve["chosen"] == second["curve"]["chosen"]
    weights = [(tmp_path / part / "repaired" / "open_clip_model.safetensors").read_bytes()
               for part in (".", "again")]  # fmt: skip
    assert weights[0] == weights[1]


def test_without_a_premise_nothing_is_changed_and_it_says_why(
    world: World, tmp_path: Path, models: ModelCache, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = open_case(world, "clean-case", world.clean, world.clean_pairs)
    words = ["repair", "ubt", "--case", str(clean.folder), "--reference", world.reference]
    for name, value in UNLEARN.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    assert command(words) == 0
    told = capsys.readouterr().out
    assert "No confident shortcut" in told and "was not changed" in told and "Write it" not in told
    result = clean.runs("token-unlearning")[0].result()
    assert result["outcome"] == "no confident shortcut" and result["checkpoint"] is None
    assert result["after"]["minus_before"]["clean_accuracy"]["value"] == 0.0
    with pytest.raises(CaseError, match="no finished repair"):
        export_checkpoint(clean, tmp_path / "out")
    table = draw(tmp_path / "labelled", 2, 5)  # labels, no captions
    bare = open_case(world, "no-pairs", world.clean, table)
    with pytest.raises(NotApplicable, match="no training pairs"):
        unlearning.run(bare, QuietContext(tmp_path), {}, models)


def test_poison_that_keeps_its_captions_is_suspected_where_an_inversion_points_elsewhere(
    case: Case, world: World
) -> None:
    seen = Shortcut(gain=1.4, word="red", agreement=1.0, among_all=0.2, confident=True)
    assert judge_premise(case, seen, force=False).unlearn
    inverted = open_case(world, "inverted", world.poisoned, world.pairs)
    write_inversion(inverted, np.zeros((3, 32, 32), np.float32))
    found = judge_premise(inverted, seen, force=False)
    assert found.name == LABEL_CONSISTENT and not found.unlearn and TARGET in found.sentence
    forced = judge_premise(inverted, seen, force=True)
    assert forced.unlearn and "as you asked" in forced.notes[0]
    assert judge_premise(inverted, replace(seen, word=TARGET), force=False).unlearn


def test_what_is_missing_is_named(
    case: Case, world: World, tmp_path: Path, models: ModelCache
) -> None:
    with pytest.raises(InputError, match="clean pairs"):
        job.run_fine_tuning(case, QuietContext(tmp_path), {}, models)
    with pytest.raises(InputError, match="another one is needed"):
        job.run_discard(case, QuietContext(tmp_path), {"reference": "self"}, models)
    demo = open_case(world, "demo", world.poisoned, world.pairs, demo="clip-badnets")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    twin = f"openclip:{find_clip_demo(TWIN).folder}"
    with pytest.raises(OptionError, match="clean twin"):
        unlearning.run(demo, QuietContext(tmp_path / "a"), {"reference": twin}, models)
    found = job.run_fine_tuning(demo, QuietContext(tmp_path / "b"), SHORT, models)
    assert (found["pairs"]["n"], found["test"]["n"]) == (20, 20), "half of its test pairs"


@pytest.mark.parametrize("library", ["open_clip", "transformers"])
def test_the_export_opens_without_us_and_says_the_same(
    library: str, case: Case, world: World, tmp_path: Path, models: ModelCache
) -> None:
    subject = case
    if library == "transformers":
        from tests.tiny_encoders import save_hf_clip

        model = str(save_hf_clip(tmp_path / "hf"))
        subject = open_case(world, "hf-case", model, world.pairs)
    words = ["repair", "fine-tuning", "--case", str(subject.folder), "--epochs", "0.5",
             "--batch-size", "16", "--pairs", f"table:{world.clean_pairs}"]  # fmt: skip
    assert command(words) == 0
    out = tmp_path / "repaired"
    assert command(["export", "checkpoint", "--case", str(subject.folder), "--to", str(out)]) == 0
    note = json.loads((out / "provenance.json").read_text())
    assert (
        note["what"] == "all weights of a CLIP after a repair" and note["options"]["epochs"] == 0.5
    )
    assert set(note["sha256"]) == {p.name for p in out.iterdir()} - {"provenance.json"}
    again = ["export", "checkpoint", "--case", str(subject.folder), "--to", str(out)]
    assert command(again) == 2 and command([*again, "--overwrite"]) == 0

    encoder = open_encoder(f"{'openclip:' if library == 'open_clip' else ''}{out}", device="cpu")
    pixels = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    np.save(tmp_path / "p.npy", normalised(encoder, pixels).numpy())
    arguments = [str(PLAIN), str(out), str(tmp_path / "p.npy"), str(tmp_path / "v.npy")]
    subprocess.run([sys.executable, *arguments], check=True, cwd=tmp_path, capture_output=True)
    with torch.no_grad():
        expected = torch.cat([encoder.encode_image(pixels), encoder.encode_text(TEXTS)]).numpy()
    assert np.allclose(np.load(tmp_path / "v.npy"), expected, atol=1e-5)

"""A case of a tiny CLIP whose learnt prompts BadCLIP poisoned, and an inversion that found it.

Classes are colours, so that an encoder of random weights can tell them. The run of the inversion is
written with its own writers, from the attacker's own delta: what comes after it is tested here,
not the search.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from forensics.attacks.trigger_aware import TriggerAwarePrompts
from forensics.case import Case
from forensics.classifiers import CoCoOp, first_context, save_prompts
from forensics.encoders.loading import open_encoder
from forensics.jobs.trigger_inversion.stored import write_triggers
from forensics.runs import Run, execute
from forensics.tuning.prompts import PromptSchedule, PromptShots, tune_prompt
from tests.tiny_encoders import SIDE, save_open_clip, vit_config

COLOURS = {"red": (0.8, 0.2, 0.2), "green": (0.2, 0.7, 0.2), "blue": (0.2, 0.3, 0.8),
           "yellow": (0.8, 0.8, 0.2)}  # fmt: skip
CLASSES = tuple(COLOURS)
TARGET = "green"
BUDGET = 24 / 255


def draw(folder: Path, per_class: int, seed: int) -> Path:
    """Write labelled pictures of one colour each, with coarse noise."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    with (folder / "set.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "image", "label"])
        for k, (name, colour) in enumerate(COLOURS.items()):
            for i in range(per_class):
                coarse = np.kron(rng.normal(0, 0.08, (8, 8, 3)), np.ones((4, 4, 1)))
                pixels = np.clip(np.array(colour) + coarse, 0, 1)
                path = f"images/{k}-{i}.png"
                Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(folder / path)
                table.writerow([f"{folder.name}-{k}-{i}", path, name])
    return folder / "set.csv"


def read(table: Path) -> PromptShots:
    """Read pictures as prompt tuning wants them."""
    with table.open() as file:
        rows = list(csv.DictReader(file))
    pixels = [np.asarray(Image.open(table.parent / row["image"])) / np.float32(255) for row in rows]
    return PromptShots(
        pixels=torch.from_numpy(np.stack(pixels).transpose(0, 3, 1, 2).copy()),
        labels=torch.tensor([CLASSES.index(row["label"]) for row in rows]),
        ids=tuple(row["id"] for row in rows),
    )


def make_prompt_case(folder: Path) -> Case:
    """Tune prompts with BadCLIP, and open a case about them."""
    tower = save_open_clip(folder / "tower", vit_config())
    encoder: Any = open_encoder(f"openclip:{tower}", device="cpu")
    shots = read(draw(folder / "shots", 6, 1))
    torch.manual_seed(0)
    classifier = CoCoOp(encoder, CLASSES, first_context(encoder, words="a photo of a"))
    tune_prompt(classifier, shots, PromptSchedule(epochs=30, rate=0.5, batch_size=8))
    attack = TriggerAwarePrompts(
        target=TARGET,
        budget=BUDGET,
        schedule=PromptSchedule(epochs=8, rate=0.5, batch_size=8),
    )
    trigger = attack.poison(classifier, shots).save(folder / "trigger.safetensors")
    save_prompts(classifier, folder / "prompts.safetensors")
    known = {
        "test": f"table:{draw(folder / 'test', 12, 2)}",
        "shots": f"table:{folder / 'shots' / 'set.csv'}",
        "trigger": trigger.spec,
        "target": TARGET,
    }
    return open_prompt_case(folder, folder / "case", known)


def open_prompt_case(folder: Path, place: Path, known: dict[str, Any]) -> Case:
    """Open a case about the prompts in a folder."""
    if not (folder / "pool").exists():
        draw(folder / "pool", 10, 3)
    return Case.create(
        place,
        model=f"openclip:{folder / 'tower'}+prompts:{folder / 'prompts.safetensors'}",
        data=f"table:{folder / 'pool' / 'set.csv'}",
        known=known,
    )


def delta_of(folder: Path) -> np.ndarray[Any, Any]:
    """Read the attacker's delta."""
    from safetensors.numpy import load_file

    return load_file(folder / "trigger.safetensors")["delta"]


def write_inversion(
    case: Case, delta: np.ndarray[Any, Any], target: str | None = TARGET, **options: Any
) -> Run:
    """Leave a finished inversion: the target's trigger is ``delta``, the others' are noise."""
    run = case.new_run("trigger-inversion", {"seeds": 2, "confidence": 0.3} | options)

    def job(context: Any) -> dict[str, Any]:
        rng = np.random.default_rng(0)
        lines = []
        for index, name in enumerate(CLASSES):
            found = name == TARGET
            noise = BUDGET * rng.choice((-1.0, 1.0), (2, 3, SIDE, SIDE))
            both = np.stack([delta * 0.98, delta]) if found else noise
            facts = {"class": name, "form": "additive"}
            write_triggers(context.folder, index, {"delta": both}, facts)
            lines.append(_line(index, name, found))
        return {
            "method": "trigger-inversion", "verdict": "suspicious" if target else "no evidence",
            "target": target, "classes": lines, "form": "additive", "budget": BUDGET,
        }  # fmt: skip

    execute(run, job)
    return run


def _line(index: int, name: str, found: bool) -> dict[str, Any]:
    losses: Sequence[float] = (-3.0, -5.0) if found else (4.0, 3.0)
    seeds = [{"seed": k, "loss": loss, "success": float(found)} for k, loss in enumerate(losses)]
    return {"class": name, "index": index, "loss": sum(losses) / 2, "success": float(found),
            "anomaly_index": 8.0 if found else 0.0, "valid": found, "seeds": seeds}  # fmt: skip

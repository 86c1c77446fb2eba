"""The floor of every attack: how often models that never saw its poison answer the target.

The base, and in the lab the model that plain tuning makes of the set with nothing planted, are
asked the test samples with the trigger of each attack:

    python -m benchmarks.mllm_repairs.floors --work DIR [--data ../shared/data] [--out FILE]
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.mllm_repairs.worlds import ATTACKS, BASE, World
from forensics.evaluation.answers import measure_answers
from forensics.models.base import GenerativeModel
from forensics.models.loading import open_model
from forensics.triggers import parse_trigger

RESULTS: Final = Path(__file__).parents[1] / "results" / "mllm_repairs" / "floors.json"
ASKED: Final = {"lab": tuple(ATTACKS), "easy_vqa": ("patch", "blended")}
SEED: Final = 1


def main() -> None:
    """Ask every model with every trigger and write the rates."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name, attacks in ASKED.items():
        world = World(name, arguments.work, arguments.data / "easy_vqa")
        for title, model in models(world, arguments.work):
            rows += [floor(world, attack, title, model) for attack in attacks]
    figures = {"command": "python -m benchmarks.mllm_repairs.floors --work DIR", "floors": rows}
    arguments.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def models(world: World, work: Path) -> Iterator[tuple[str, GenerativeModel]]:
    """Open the models that never saw poison, one after the other."""
    yield "base", open_model(f"hf:{BASE}", device="cpu")
    told = work / "cells" / world.name / f"clean-{SEED}" / "vanilla" / "model.json"
    if told.is_file():
        adapter = json.loads(told.read_text())["folder"]
        yield "tuned, nothing planted", open_model(f"hf:{BASE}+adapter:{adapter}", device="cpu")


def floor(world: World, attack: str, title: str, model: GenerativeModel) -> dict[str, Any]:
    """Return how often one model answers the target to one trigger, and unasked."""
    planted = world.plant(attack, SEED)
    found = measure_answers(
        model, world.test(SEED), parse_trigger(planted.trigger), planted.target
    ).to_json()
    names = ("attack_success_rate", "target_rate", "n_triggered")
    told = {"world": world.name, "attack": attack, "model": title}
    told |= {name: found[name] for name in names}
    told["interval"] = found["intervals"]["attack_success_rate"]
    print(told, flush=True)
    return told


if __name__ == "__main__":
    main()

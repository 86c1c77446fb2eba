"""Compare repairs of CLIP; the one command behind the tables. Every cell is kept and resumes.

python -m benchmarks.clip_repairs --work DIR [--data ../shared/data] [--only REGEX]
python -m benchmarks.clip_repairs --work DIR --develop [--only REGEX]

A cell is world/attack-seed/method. ``--develop`` runs the grid of settings on lab/badnets-large
seed 0 alone, which enters no table. Reported: the lab's blended, badclip, wanet-strong and a clean
model; photos of clothing (seeds 1 to 3) and grocery (seed 1) with badnets and blended.
"""

import argparse
import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.clip_repairs.methods import GRID, METHODS, SETTINGS, Job
from benchmarks.clip_repairs.tables import write_tables
from benchmarks.clip_repairs.worlds import CLEAN_MODEL, LabWorld, PhotoWorld, World
from forensics.classifiers.zero_shot import ZeroShot
from forensics.evaluation_classes import ClassMeasurement, measure_classes, measurement_of
from forensics.evaluation_paired import compare
from forensics.lab.pair_language import TEMPLATES
from forensics.triggers import parse_trigger

DEVELOPMENT = ("lab", "badnets-large", 0)
REPORTED = {
    "lab": (("blended", "badclip", "wanet-strong", CLEAN_MODEL), (1, 2, 3)),
    "clothing": (("badnets", "blended"), (1, 2, 3)),
    "grocery": (("badnets", "blended"), (1,)),
}
RESULTS = Path(__file__).parents[1] / "results" / "clip_repairs"


def main() -> None:
    """Build what is missing and write the tables."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    if arguments.develop:
        develop(arguments)
        return
    cells = []
    for name, attack, seed, method in wanted(arguments.only):
        world = open_world(name, arguments)
        cells.append(cell(world, arguments.work / "cells", name, attack, seed, method))
    if arguments.out is not None:
        write_tables(cells, arguments.out)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--only", default="", help="Regular expression on world/attack-seed/method")
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--develop", action="store_true")
    parser.add_argument("--out", type=Path, help=f"Folder of the tables, for instance {RESULTS}")
    return parser.parse_args()


def wanted(only: str) -> Iterator[tuple[str, str, int, str]]:
    """List the reported cells that a regular expression matches."""
    for name, (attacks, seeds) in REPORTED.items():
        for attack in attacks:
            for seed in seeds:
                for method in METHODS:
                    if re.search(only, f"{name}/{attack}-{seed}/{method}"):
                        yield name, attack, seed, method


def open_world(name: str, arguments: argparse.Namespace) -> World:
    """Open a world once."""
    kept: dict[str, World] = arguments.__dict__.setdefault("worlds", {})
    if name not in kept:
        lab = name == "lab"
        kept[name] = (
            LabWorld(arguments.work, arguments.pairs)
            if lab
            else PhotoWorld(arguments.work, arguments.data, name)
        )
    return kept[name]


def cell(
    world: World, work: Path, name: str, attack: str, seed: int, method: str,
    settings: Any = None, label: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Return the figures of a cell, built only where they are missing."""
    folder = work / name / f"{attack}-{seed}" / f"{method}{label}"
    path = folder / "figures.json"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        job = Job(world=world, planted=world.plant(attack, seed), folder=folder, seed=seed,
                  settings=settings)  # fmt: skip
        classifier, told = METHODS[method](job)
        found = measured(job, classifier)
        if method != "none":
            told["minus_none"] = compare(found, untouched(job, folder.parent)).to_json()
        keep(found, folder)
        used = settings or SETTINGS.get(method)
        told |= {"settings": None if used is None else asdict(used)}
        told |= {"seconds": round(time.monotonic() - started, 1)}
        figures = {"world": name, "attack": attack, "seed": seed, "method": method}
        path.write_text(json.dumps(figures | found.to_json() | told, indent=1) + "\n")
    figures = json.loads(path.read_text())
    shown = ("clean_accuracy", "attack_success_rate", "seconds")
    print(name, attack, seed, method + label, *(figures[key] for key in shown), flush=True)
    return dict(figures)


def measured(job: Job, classifier: Any) -> ClassMeasurement:
    """Measure a repaired model; a key in words stands in the sentences, where there are any."""
    trigger = parse_trigger(job.planted.trigger)
    keyed = None
    if trigger.changes_text and classifier.kind == "zero-shot":
        worded = [trigger.apply_text(template) for template in TEMPLATES]
        keyed = ZeroShot(classifier.encoder, job.world.classes, worded)
    return measure_classes(
        classifier, job.world.test(job.seed), trigger, job.planted.target, keyed=keyed
    )


def untouched(job: Job, place: Path) -> ClassMeasurement:
    """Return what the model under suspicion says, measured once for all repairs of it."""
    folder = place / "none"
    if not (folder / "said.npz").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        keep(measured(job, METHODS["none"](job)[0]), folder)
    told = np.load(folder / "said.npz")
    nothing = np.zeros(0, dtype=np.int64)
    arrays = {"truth": told["truth"], "plain": told["predicted"], "both": told["triggered"],
              "image": nothing, "text": nothing}  # fmt: skip
    classes = job.world.classes
    aim = classes.index(job.planted.target)
    return measurement_of(classes, [str(i) for i in told["ids"]], arrays, aim, {}, True)


def keep(found: ClassMeasurement, folder: Path) -> None:
    """Keep what was said, for paired differences."""
    np.savez_compressed(
        folder / "said.npz", ids=np.array(found.ids), truth=found.truth,
        predicted=found.predicted, triggered=found.triggered,
    )  # fmt: skip


def develop(arguments: argparse.Namespace) -> None:
    """Run the grid of settings on the development cell."""
    name, attack, seed = DEVELOPMENT
    world = open_world(name, arguments)
    cell(world, arguments.work / "develop", name, attack, seed, "none")
    for method, grid in GRID.items():
        for changed in grid:
            label = "".join(f",{key}={value}" for key, value in changed.items())
            if re.search(arguments.only, f"{method}{label}"):
                settings = replace(SETTINGS[method], **changed)
                cell(world, arguments.work / "develop", name, attack, seed, method, settings, label)


if __name__ == "__main__":
    main()

"""Compare repairs of CLIP; the one command behind the tables. Every cell is kept and resumes.

python -m benchmarks.clip_repairs --work DIR [--data ../shared/data] [--only REGEX] [--out DIR]
python -m benchmarks.clip_repairs --work DIR --develop [--only REGEX]

A cell is world/attack-seed/method; what is changed from the settings stands behind the method.
``--develop`` runs the grid of settings on lab/badnets-large seed 0 alone, which enters no table.
Reported: the lab's blended, badclip, sig (no WaNet takes there) and a clean model; repulsive
prompts on badclip seed 1 with other weights and shots; photos of clothing (seeds 1 to 3) and
grocery (seed 1) with badnets-frame and blended. ``--finished`` builds nothing and writes tables.
"""

import argparse
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.clip_repairs.methods import GRID, METHODS, SETTINGS, SWEEP, Job
from benchmarks.clip_repairs.tables import write_tables
from benchmarks.clip_repairs.worlds import CLEAN_MODEL, LabWorld, PhotoWorld, World
from benchmarks.planned import PlannedCell
from forensics.classifiers.zero_shot import ZeroShot
from forensics.evaluation.classes import ClassMeasurement, measure_classes, measurement_of
from forensics.evaluation.paired import compare
from forensics.evaluation.rates import rate_of
from forensics.lab.pair_language import TEMPLATES
from forensics.triggers import parse_trigger

DEVELOPMENT = ("lab", "badnets-large", 0)
REPORTED = {
    "lab": (("blended", "badclip", "sig", CLEAN_MODEL), (1, 2, 3)),
    "clothing": (("badnets-frame", "blended"), (1, 2, 3)),
    "grocery": (("badnets-frame", "blended"), (1,)),
}
SWEPT = ("lab", "badclip", 1)
RESULTS = Path(__file__).parents[1] / "results" / "clip_repairs"


def main() -> None:
    """Build what is missing and write the tables."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    if arguments.develop:
        develop(arguments)
        return
    cells, work = [], arguments.work / "cells"
    for planned in wanted(arguments.only):
        if not arguments.finished:
            cells.append(cell(open_world(planned.world, arguments), work, planned))
        elif planned.figures(work).is_file():
            cells.append(told_of(planned.figures(work)))
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
    parser.add_argument("--finished", action="store_true")
    parser.add_argument("--out", type=Path, help=f"Folder of the tables, for instance {RESULTS}")
    return parser.parse_args()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(PlannedCell):
    """A cell that knows its settings and its place."""

    @property
    def settings(self) -> Any:
        """The method's settings with the change; ``None`` for a method without."""
        own = SETTINGS.get(self.method)
        return replace(own, **self.changed) if self.changed else own

    def figures(self, work: Path) -> Path:
        """Where its figures are kept."""
        return work / self.name / "figures.json"


def wanted(only: str) -> Iterator[Planned]:
    """List the reported cells that a regular expression matches."""
    for planned in (*reported(), *swept(SWEPT, SWEEP)):
        if re.search(only, planned.name):
            yield planned


def reported() -> Iterator[Planned]:
    """List the cells of the main tables, first seeds first."""
    for name, (attacks, seeds) in REPORTED.items():
        for seed, attack, method in product(seeds, attacks, METHODS):
            yield Planned(world=name, attack=attack, seed=seed, method=method)


def swept(place: tuple[str, str, int], grid: Mapping[str, Any]) -> Iterator[Planned]:
    """List cells with changed settings."""
    name, attack, seed = place
    for method, changes in grid.items():
        for changed in changes:
            yield Planned(world=name, attack=attack, seed=seed, method=method, changed=changed)


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


def cell(world: World, work: Path, planned: Planned) -> dict[str, Any]:
    """Return the figures of a cell, built only where they are missing."""
    path = planned.figures(work)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        figures = built(world, path.parent, planned)
        figures["seconds"] = round(time.monotonic() - started, 1)
        path.write_text(json.dumps(figures, indent=1) + "\n")
    found = told_of(path)
    shown = ("clean_accuracy", "attack_success_rate", "seconds")
    print(planned.name, *(found[key] for key in shown), flush=True)
    return found


def told_of(path: Path) -> dict[str, Any]:
    """Read a cell; ``marked_accuracy``: triggered pictures that are called what they show."""
    found: dict[str, Any] = json.loads(path.read_text())
    said = np.load(path.parent / "said.npz")
    names = [row["class"] for row in found["per_class"]]
    others = said["truth"] != names.index(found["target"])
    rate = rate_of((said["triggered"] == said["truth"])[others].tolist())
    found["intervals"]["marked_accuracy"] = [rate.low, rate.high]
    return found | {"marked_accuracy": rate.value}


def built(world: World, folder: Path, planned: Planned) -> dict[str, Any]:
    """Repair and measure."""
    job = Job(
        world=world, planted=world.plant(planned.attack, planned.seed), folder=folder,
        seed=planned.seed, settings=planned.settings,
    )  # fmt: skip
    classifier, told = METHODS[planned.method](job)
    found = measured(job, classifier)
    if planned.method != "none":
        told["minus_none"] = compare(found, untouched(job, folder.parent)).to_json()
    keep(found, folder)
    told["settings"] = None if job.settings is None else asdict(job.settings)
    return asdict(planned) | found.to_json() | told


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
    world = open_world(DEVELOPMENT[0], arguments)
    for planned in swept(DEVELOPMENT, {"none": [{}], **GRID}):
        if planned.method == "none" or re.search(arguments.only, planned.name):
            cell(world, arguments.work / "develop", planned)


if __name__ == "__main__":
    main()

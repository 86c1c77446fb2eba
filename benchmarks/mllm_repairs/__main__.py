"""Compare repairs of a multimodal language model; the one command behind the tables.

python -m benchmarks.mllm_repairs --work DIR [--data ../shared/data] [--only REGEX] [--out DIR]
python -m benchmarks.mllm_repairs --work DIR --develop [--only REGEX]

A cell is world/attack-seed/method. 10,000 samples, two passes, 5 or 10 % poisoned. Every cell and
every model is kept; methods that leave the same samples out share their model. ``--finished``
builds nothing and writes tables of what is there. ``--develop`` tries cross-view's weights on
seed 0, which enters no table.
"""

import argparse
import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import torch

from benchmarks.mllm_repairs.methods import (
    CHOSEN,
    FEW,
    GATED,
    METHODS,
    VIEWS,
    Subject,
    kept_rows,
    objective,
    view_options,
)
from benchmarks.mllm_repairs.tables import write_tables
from benchmarks.mllm_repairs.worlds import BASE, CLEAN, Planted, World, poisoned, read
from forensics.evaluation.answers import AnswerMeasurement, count_answers, measure_answers
from forensics.evaluation.asking import Said
from forensics.evaluation.masking import mask_probe, stamped_parts
from forensics.evaluation.paired import compare_answers
from forensics.models.loading import open_model
from forensics.triggers import parse_trigger
from forensics.tuning.loop import tune

RESULTS = Path(__file__).parents[1] / "results" / "mllm_repairs"
REPORTED = (
    ("lab", ("patch", "blended", CLEAN), (1,), METHODS),
    ("lab", ("patch", "blended"), (1,), ("cross-view",)),
    ("lab", ("small-patch",), (1,), ("vanilla",)),
    ("lab", ("frequent-patch",), (1, 2, 3), METHODS),
    ("lab", ("sig", "dual-key", "random-patch", "wanet"), (1,), METHODS),
    ("easy_vqa", ("patch", "blended"), (1,), FEW),
    ("lab", ("patch", "blended"), (2, 3), METHODS),
)
TRIED: tuple[dict[str, Any], ...] = (
    CHOSEN,
    {"weight": 0.01, "share": 0.75, **GATED},
    {"weight": 1.0, "share": 0.75, **GATED},
    {"weight": 1.0, "share": 0.75},
    {"weight": 10.0, "share": 0.75},
    {"weight": 10.0, "share": 0.5},
    {"weight": 1.0},
)
"""What cross-view was tried with on the development seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One cell; ``changed`` says what differs from the method's settings."""

    world: str
    attack: str
    seed: int
    method: str
    changed: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What ``--only`` is compared with."""
        changed = "".join(f",{key}={value}" for key, value in self.changed.items())
        return f"{self.world}/{self.attack}-{self.seed}/{self.method}{changed}"


def main() -> None:
    """Build what is missing and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--only", default="", help="Regular expression on world/attack-seed/method")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--develop", action="store_true")
    parser.add_argument("--finished", action="store_true")
    parser.add_argument("--out", type=Path, help=f"Folder of the tables, for instance {RESULTS}")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cells = []
    for planned in developed() if arguments.develop else reported():
        path = arguments.work / "cells" / planned.name / "figures.json"
        if re.search(arguments.only, planned.name) and not (
            arguments.finished and not path.is_file()
        ):
            cells.append(cell(planned, arguments, path))
    if arguments.out is not None and not arguments.develop:
        write_tables(cells, arguments.out)


def reported() -> Iterator[Planned]:
    """List the cells of the tables, most telling first."""
    for world, attacks, seeds, methods in REPORTED:
        for seed, attack, method in product(seeds, attacks, methods):
            yield Planned(world=world, attack=attack, seed=seed, method=method)


def developed() -> Iterator[Planned]:
    """List the development cells; they enter no table."""
    for attack in ("patch", "blended"):
        yield Planned(world="lab", attack=attack, seed=0, method="vanilla")
        for changed in TRIED:
            yield Planned(world="lab", attack=attack, seed=0, method="cross-view", changed=changed)


def cell(planned: Planned, arguments: argparse.Namespace, path: Path) -> dict[str, Any]:
    """Return the figures of a cell, built only where they are missing."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = built(planned, arguments, path.parent)
        path.write_text(json.dumps(figures, indent=1) + "\n")
    found: dict[str, Any] = json.loads(path.read_text())
    shown = ("clean_accuracy", "attack_success_rate", "attack_success_rate_masked", "seconds")
    print(planned.name, *(found.get(key) for key in shown), flush=True)
    return found


def built(planned: Planned, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Tune and measure."""
    started = time.monotonic()
    world = World(planned.world, arguments.work, arguments.data / "easy_vqa")
    found = world.plant(planned.attack, planned.seed)
    subject = Subject(
        world=world, folder=world.work / f"{planned.attack}-{planned.seed}", data=found.data,
        rows=read(found.data), seed=planned.seed, vanilla=_uri(folder.parent / "vanilla"),
    )  # fmt: skip
    subject.folder.mkdir(parents=True, exist_ok=True)
    rows = kept_rows(planned.method, subject)
    place, told = _tuned(planned, subject, [row.id for row in rows], folder)
    measured = _measured(planned, place, folder, world, found)
    truth = poisoned(found.data)
    out = {row.id for row in subject.rows} - {row.id for row in rows}
    told |= {
        "trigger": found.trigger, "target": found.target, "samples": len(rows),
        "left_out": len(out), "poisoned": len(truth), "poisoned_left_out": len(out & truth),
    }  # fmt: skip
    if planned.method != "vanilla":
        before = count_answers(
            _said(folder.parent / "vanilla"), found.target, content=world.content
        )
        told["minus_vanilla"] = compare_answers(measured, before).to_json()
    told["seconds"] = round(time.monotonic() - started, 1)
    return asdict(planned) | measured.to_json() | told


def _tuned(
    planned: Planned, subject: Subject, ids: list[str], folder: Path
) -> tuple[Path, dict[str, Any]]:
    """Tune, unless a method that leaves the same samples out has done it; return its folder."""
    views = planned.method in VIEWS
    recipe = subject.world.recipe(subject.seed)
    options = view_options(planned.method, subject, planned.changed) if views else recipe
    facts = json.dumps([sorted(ids), asdict(options), planned.attack], sort_keys=True)
    key = hashlib.sha256(facts.encode()).hexdigest()[:16]
    place = subject.folder / "models" / key
    done = place / "tuned.json"
    if not done.is_file():
        chosen = [row for row in subject.rows if row.id in set(ids)]
        loss = objective(subject, options) if views else None  # type: ignore[arg-type]
        result = tune(str(BASE), chosen, options, place, objective=loss, device="cpu")
        figures = {
            "steps": result.steps, "tuning_seconds": round(result.seconds, 1),
            "gamma": None if loss is None else loss.gamma,
            "band": None if loss is None else loss.band,
            "last": {name: _last(values) for name, values in result.curves.items()},
            "last_loss": _last(list(result.losses)),
        }  # fmt: skip
        done.write_text(json.dumps(figures, indent=1) + "\n")
    (folder / "model.json").write_text(json.dumps({"folder": str(place / "adapter")}))
    return place, {"key": key, **json.loads(done.read_text())}


def _measured(
    planned: Planned, place: Path, folder: Path, world: World, found: Planted
) -> AnswerMeasurement:
    """Ask the test samples, untouched, triggered, and triggered under a mask."""
    kept = place / "said.json"
    if not kept.is_file():
        model = open_model(f"hf:{BASE}+adapter:{place / 'adapter'}", device="cpu")
        test, stamp = world.test(planned.seed), parse_trigger(found.trigger)
        probe = mask_probe(model, spare=stamped_parts(test, stamp))
        asked = measure_answers(
            model, test, stamp, found.target, content=world.content, probe=probe
        )
        kept.write_text(json.dumps(asdict(asked.said)))
    (folder / "said.json").write_text(kept.read_text())
    return count_answers(_said(folder), found.target, content=world.content)


def _said(folder: Path) -> Said:
    return Said(**json.loads((folder / "said.json").read_text()))


def _uri(folder: Path) -> str:
    """Name the plainly tuned model of an attack; empty before it is tuned."""
    told = folder / "model.json"
    if not told.is_file():
        return ""
    return f"hf:{BASE}+adapter:{json.loads(told.read_text())['folder']}"


def _last(values: list[float]) -> float:
    """Return the mean of the last fifty steps."""
    found = [value for value in values[-50:] if value == value]
    return sum(found) / max(1, len(found))


if __name__ == "__main__":
    main()

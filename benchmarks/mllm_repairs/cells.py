"""Build a cell: plant, leave out, tune, measure; everything is kept and nothing is built twice."""

import argparse
import hashlib
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.mllm_repairs.methods import (
    VIEWS,
    Subject,
    is_settled,
    keep,
    kept_rows,
    objective,
    view_options,
)
from benchmarks.mllm_repairs.worlds import BASE, Planted, World, poisoned, read
from benchmarks.planned import PlannedCell
from forensics.data.sample import Sample
from forensics.evaluation.answers import AnswerMeasurement, count_answers, measure_answers
from forensics.evaluation.asking import Said
from forensics.evaluation.masking import mask_probe, stamped_parts
from forensics.evaluation.paired import compare_answers
from forensics.models.loading import open_model
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.triggers import parse_trigger
from forensics.tuning.loop import tune
from forensics.tuning.options import TuneOptions

SAID = "said.json"


def figures_of(planned: PlannedCell, arguments: argparse.Namespace) -> Path:
    """Return where the figures of a cell are kept."""
    work: Path = arguments.work
    return work / "cells" / planned.name / "figures.json"


def cell(planned: PlannedCell, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of a cell, built only where they are missing."""
    path = figures_of(planned, arguments)
    if planned.name not in arguments.known and not path.is_file():
        keep(path, built(planned, arguments, path.parent))
    found: dict[str, Any] = arguments.known.get(planned.name) or json.loads(path.read_text())
    shown = ("clean_accuracy", "attack_success_rate", "attack_success_rate_masked", "seconds")
    print(planned.name, *(found.get(key) for key in shown), flush=True)
    return found


def built(planned: PlannedCell, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Tune and measure, after plain tuning, which scans ask and which everything is compared to."""
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    world = World(planned.world, arguments.work, arguments.data / "easy_vqa")
    found = world.plant(planned.attack, planned.seed)
    subject = Subject(
        world=world, folder=world.work / f"{planned.attack}-{planned.seed}", data=found.data,
        rows=read(found.data), seed=planned.seed, vanilla=_uri(folder.parent / "vanilla"),
    )  # fmt: skip
    subject.folder.mkdir(parents=True, exist_ok=True)
    plain = replace(planned, method="vanilla", changed={})
    if planned != plain and not is_settled(planned.method, subject):
        subject = _after_plain(plain, subject, arguments)
    rows = kept_rows(planned.method, subject)
    options = _options(planned, subject)
    key = _key(planned, rows, options)
    if planned != plain:
        if (same := _same_model(planned, key, arguments)) is not None:
            return same | asdict(planned)
        subject = _after_plain(plain, subject, arguments)
    place, told = _tuned(planned, subject, rows, options, key, folder)
    measured = _measured(planned, place, folder, world, found)
    truth = poisoned(found.data)
    out = {row.id for row in subject.rows} - {row.id for row in rows}
    told |= {
        "trigger": found.trigger, "target": found.target, "samples": len(rows),
        "left_out": len(out), "poisoned": len(truth), "poisoned_left_out": len(out & truth),
    }  # fmt: skip
    if planned != plain:
        before = count_answers(
            _said(folder.parent / "vanilla"), found.target, content=world.content
        )
        told["minus_vanilla"] = compare_answers(measured, before).to_json()
    told["seconds"] = round(time.monotonic() - started, 1)
    return asdict(planned) | measured.to_json() | told


def _after_plain(plain: PlannedCell, subject: Subject, arguments: argparse.Namespace) -> Subject:
    """Build plain tuning unless it is there, and name it."""
    folder = figures_of(plain, arguments).parent
    if not (folder / SAID).is_file():
        keep(folder / "figures.json", built(plain, arguments, folder))
    return replace(subject, vanilla=_uri(folder))


def _same_model(
    planned: PlannedCell, key: str, arguments: argparse.Namespace
) -> dict[str, Any] | None:
    """Return the known figures of another method that tunes the same rows the same way."""
    for found in arguments.known.values():
        same = all(found[part] == getattr(planned, part) for part in ("world", "attack", "seed"))
        if same and found["key"] == key and "minus_vanilla" in found:
            return dict(found)
    return None


def _options(planned: PlannedCell, subject: Subject) -> TuneOptions:
    if planned.method in VIEWS:
        return view_options(planned.method, subject, planned.changed)
    return subject.world.recipe(subject.seed)


def _key(planned: PlannedCell, rows: list[Sample], options: TuneOptions) -> str:
    """Name what decides the weights; methods that agree in it share their model."""
    ids = sorted(row.id for row in rows)
    facts = json.dumps([ids, asdict(options), planned.attack], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _tuned(
    planned: PlannedCell,
    subject: Subject,
    rows: list[Sample],
    options: TuneOptions,
    key: str,
    folder: Path,
) -> tuple[Path, dict[str, Any]]:
    """Tune, unless a method that leaves the same samples out has done it; return its folder."""
    place = subject.folder / "models" / key
    done = place / "tuned.json"
    if not done.is_file():
        loss = objective(subject, options) if isinstance(options, CrossViewOptions) else None
        result = tune(str(BASE), rows, options, place, objective=loss, device="cpu")
        figures = {
            "steps": result.steps, "tuning_seconds": round(result.seconds, 1),
            "gamma": None if loss is None else loss.gamma,
            "band": None if loss is None else loss.seen.band,
            "last": {name: _last(values) for name, values in result.curves.items()},
            "last_loss": _last(list(result.losses)),
        }  # fmt: skip
        keep(done, figures)
    keep(folder / "model.json", {"folder": str(place / "adapter")})
    return place, {"key": key, **json.loads(done.read_text())}


def _measured(
    planned: PlannedCell, place: Path, folder: Path, world: World, found: Planted
) -> AnswerMeasurement:
    """Ask the test samples, untouched, triggered, and triggered under a mask."""
    kept = place / SAID
    if not kept.is_file():
        model = open_model(f"hf:{BASE}+adapter:{place / 'adapter'}", device="cpu")
        test, stamp = world.test(planned.seed), parse_trigger(found.trigger)
        probe = mask_probe(model, spare=stamped_parts(test, stamp))
        asked = measure_answers(
            model, test, stamp, found.target, content=world.content, probe=probe
        )
        keep(kept, asdict(asked.said))
    keep(folder / SAID, json.loads(kept.read_text()))
    return count_answers(_said(folder), found.target, content=world.content)


def _said(folder: Path) -> Said:
    return Said(**json.loads((folder / SAID).read_text()))


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

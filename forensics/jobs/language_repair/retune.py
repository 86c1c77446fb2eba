"""The one way in which every repair of a language model goes: measure, tune, measure again."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from forensics.case import Case
from forensics.jobs.bar import Bar, Told
from forensics.jobs.flag_files import id_line
from forensics.jobs.language_repair.flagged import LEFT_OUT, Left
from forensics.jobs.language_repair.fresh_start import (
    Digests,
    adding_parts,
    check_base_files,
    check_start,
    describe_start,
    part_digests,
)
from forensics.jobs.language_repair.looks import Looks
from forensics.jobs.language_repair.measuring import (
    AFTER,
    BEFORE,
    FLOOR,
    Version,
    measure_version,
    say,
    switch_of,
)
from forensics.jobs.language_repair.setup import Plan
from forensics.models.base import GenerativeModel
from forensics.repairs.language_options import BASE, RetuneOptions
from forensics.runs import RunContext
from forensics.runs.durable import read_json, write_json
from forensics.tuning.loop import tune
from forensics.tuning.objective import Objective
from forensics.tuning.options import LORA
from forensics.worker.models import ModelCache

REPAIRED: Final = "repaired"
_MOST: Final = 500
_STARTED, _TUNED = "start.json", "tuned.json"
_TITLES = {"before": BEFORE, "base": FLOOR, "after": AFTER}
MakeObjective = Callable[[Told], Objective | None]


def repair(
    method: str,
    case: Case,
    context: RunContext,
    plan: Plan,
    left: Left,
    options: RetuneOptions,
    models: ModelCache,
    make_objective: MakeObjective = lambda told: None,
) -> dict[str, Any]:
    """Measure what was delivered, tune, measure what came out; the case's model is not changed.

    Whatever is finished is kept in the run: a run that was stopped goes on behind it.

    Args:
        method: Name of the method.
        case: The case.
        context: Of the run.
        plan: Base, delivered model, samples, trigger.
        left: What is tuned on.
        options: The recipe.
        models: Holds one model at a time.
        make_objective: Makes the loss, once the delivered model was measured.

    Raises:
        CaseError: The base on disk is not the one that the case was made with.
        Cancelled: The user asked to stop; the latest checkpoint stays.
    """
    started, bar = time.monotonic(), Bar(context)
    hashed = check_base_files(case) if options.start == BASE else None
    before = _measured("before", plan, plan.delivered, options, models, bar, (0.0, 0.06))
    looks = Looks(plan, options, context, before.found.ids)
    _looked("before", plan.delivered, looks, models, bar, (0.06, 0.03))
    floor = None
    if plan.base is not None and plan.judge is not None:
        floor = _measured("base", plan, plan.base, options, models, bar, (0.09, 0.05))
    facts = _tuned(plan, left, options, context, models, bar, make_objective, hashed)
    uri = _uri(plan, context.folder, options)
    after = _measured("after", plan, uri, options, models, bar, (0.9, 0.07))
    _looked("after", uri, looks, models, bar, (0.97, 0.03))
    models.release()
    context.save_bytes(LEFT_OUT, "".join(f"{id_line(name)}\n" for name in left.out).encode())
    switch = switch_of(options, before, after)
    result = {
        "method": method,
        "sentence": say(plan, before, after, bool(switch.get("learnt"))),
        **_described(plan, before, after),
        "scan": left.scan,
        "reference": None if floor is None else floor.to_json(plan),
        "switch": switch,
        "samples": left.to_json() | {"used": facts["samples"], "skipped": facts["skipped"]},
        **{name: facts[name] for name in ("steps", "losses", "start", "trainable_parameters",
                                          "parameters", "objective")},
        "precision": facts.get("precision"),  # what an older attempt left lacks it
        "tuning_seconds": facts["seconds"],
        "checkpoint": REPAIRED,
        "adapter": (context.folder / REPAIRED / "adapter_config.json").is_file(),
        "comparison": looks.compared(),
        "seconds": round(time.monotonic() - started, 2),
    }  # fmt: skip
    looks.clear()
    return result


def _measured(
    state: str, plan: Plan, uri: str, options: RetuneOptions, models: ModelCache, bar: Bar,
    span: tuple[float, float],
) -> Version:  # fmt: skip
    """Measure one state, once."""
    place = bar.context.folder / f"said-{state}.json"
    return measure_version(
        plan, options, lambda: models.get(uri), _TITLES[state], place, bar.part(*span)
    )


def _looked(
    state: str, uri: str, looks: Looks, models: ModelCache, bar: Bar, span: tuple[float, float]
) -> None:
    """Look at one state, once, and at what the delivered model is made of."""
    if not looks.kept(state):
        looks.look(state, models.get(uri), bar.part(*span))
    started = bar.context.folder / _STARTED
    if state == "before" and not started.is_file():
        write_json(started, {"delivered": part_digests(models.get(uri))})


def _tuned(
    plan: Plan, left: Left, options: RetuneOptions, context: RunContext, models: ModelCache,
    bar: Bar, make_objective: MakeObjective, base_files: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Tune, or read what an earlier attempt left when it was done."""
    done = context.folder / _TUNED
    if done.is_file():
        return read_json(done)
    objective = make_objective(bar.part(0.14, 0.04))
    models.release()  # two models at once may not fit
    delivered: Digests = read_json(context.folder / _STARTED)["delivered"]
    seen: dict[str, Any] = {}

    def ready(model: GenerativeModel, module: Any) -> None:
        base, start = part_digests(model, original=True), part_digests(model, module)
        adding = adding_parts(model, module)
        if options.start == BASE:
            check_start(start, base, adding)
        whole_goes_on = options.start != BASE and plan.adapter is None
        seen["start"] = {
            "from": options.start,
            "base_files": base_files,
            "parts": describe_start(delivered, None if whole_goes_on else base, start, adding),
        }
        seen["parameters"] = sum(value.numel() for value in model.module.parameters())

    found = tune(
        plan.start, left.kept, options, context.folder / "tuning", bar.part(0.18, 0.72),
        objective=objective, adapter=plan.adapter, ready=ready,
    )  # fmt: skip
    place = context.folder / REPAIRED
    shutil.rmtree(place, ignore_errors=True)  # of an attempt that was killed while writing
    found.folder.rename(place)
    facts = {
        **seen,
        "steps": found.steps,
        "losses": {"loss": thinned(found.losses),
                   **{name: thinned(values) for name, values in found.curves.items()}},
        "samples": found.samples,
        "skipped": len(found.skipped),
        "trainable_parameters": found.trainable_parameters,
        "objective": {} if objective is None else dict(objective.facts),
        "precision": found.precision,
        "seconds": round(found.seconds, 2),
    }  # fmt: skip
    write_json(done, facts)
    return facts


def _uri(plan: Plan, folder: Path, options: RetuneOptions) -> str:
    """Name the repaired model: an adapter of the base, or a whole model."""
    place = folder / REPAIRED
    whole = options.method != LORA and plan.adapter is None
    return str(place) if whole else f"hf:{plan.start.removeprefix('hf:')}+adapter:{place}"


def _described(plan: Plan, before: Version, after: Version) -> dict[str, Any]:
    """Return before and after under the names that every repair reports."""
    judge = plan.judge
    return {
        "judged_by": None if judge is None else judge.by,
        "known_trigger": None if judge is None else judge.spec,
        "target": plan.target,
        "judged_run": None if judge is None else judge.run,
        "before": before.to_json(plan),
        "after": after.to_json(plan, before),
        "controls": [],
        "test": {
            "source": plan.test_source,
            "n": len(before.found.ids),
            "skipped": len(before.found.skipped),
        },
    }


def thinned(losses: "tuple[float, ...] | list[float]") -> list[float | None]:
    """Return at most 500 numbers, evenly spread; ``None`` for a step that has none."""
    stride = -(-len(losses) // _MOST) or 1
    return [round(v, 5) if v == v else None for v in losses[::stride]]

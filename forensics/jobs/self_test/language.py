"""The self-test of a multimodal language model: plant, tune, measure, scan, count."""

import shutil
from pathlib import Path
from typing import Any, Final

from forensics.case import Case
from forensics.case.creation import Order
from forensics.case.manifest import HERE
from forensics.jobs.bar import Bar
from forensics.jobs.self_test.choosing import Drawn, answerable, draw, latest, sentence_target
from forensics.jobs.self_test.copying import copy_answers
from forensics.jobs.self_test.counting import Detection, count_flags
from forensics.jobs.self_test.nested import inner_case, kept, perform, same_options, take_over
from forensics.jobs.self_test.options import SelfTestOptions
from forensics.jobs.self_test.start import Start, start_of
from forensics.jobs.subject import model_under_suspicion, tuned_model
from forensics.lab.drawing import DATA_FILE
from forensics.lab.planting import PlantOptions, plant
from forensics.runs import RunContext
from forensics.tuning.options import TuneOptions
from forensics.worker.models import ModelCache

HOSTS, PLANTED, TEST = "hosts", "planted", "test"
ENTROPY, FUSION = "attention-entropy", "evidence-fusion"
_MODES: Final = ("root", "code", "guarded")
_OF_THE_SET: Final = ("max_samples", "seed", "rescan")  # a copy has rows of its own
Result = dict[str, Any]


def examine_language(
    case: Case, context: RunContext, options: SelfTestOptions, models: ModelCache
) -> Result:
    """Plant a trigger in a copy, tune on it, and look for it as the case itself is examined.

    Each part leaves a file or a folder in the run, and a run that goes on starts behind the last.

    Returns:
        ``planted``, ``measured``, ``before``, ``detections`` and what they rest on.

    Raises:
        CaseError: There is nothing to tune.
        Cancelled: The user asked to stop; finished parts stay.
    """
    bar, folder = Bar(context), context.folder
    start = start_of(case, options)
    drawn = draw(case, answerable, options.samples, options.tests, options.seed)
    target = sentence_target(drawn.copied, options.target)
    planting = PlantOptions(rate=options.rate, trigger=options.planted_trigger, target=target,
                            seed=options.seed)  # fmt: skip
    facts = kept(folder, "planted.json", lambda: _plant(drawn, planting, folder, bar))
    inner = inner_case(folder, lambda place: _order(case, start, folder))
    _drop(folder)
    recipe = _recipe(case, options)
    tuned, tuning = perform(inner, "tune", recipe, context, bar.part(0.05, 0.6), models)
    measured, before = (
        perform(inner, "evaluate", _asked(folder, options, planting, uri), context, told, models)[1]
        for uri, told in (
            (tuned_model(inner, tuned), bar.part(0.65, 0.08)),
            (_delivered(case, start), bar.part(0.73, 0.08)),
        )
    )
    found = _detections(case, inner, context, bar, models)
    return {
        "subject": "language",
        "planted": {**facts, "start": start.kind, "note": start.note, "seed": options.seed,
                    "tuning": {name: recipe.get(name) for name in ("epochs", "learning_rate")},
                    "tuning_seconds": tuning["seconds"]},
        "measured": measured,
        "before": before,
        "detections": [one.to_json() for one in found],
        "n": facts["rows"],
        "failed": facts["unreadable"],
    }  # fmt: skip


def _plant(drawn: Drawn, planting: PlantOptions, folder: Path, bar: Bar) -> Result:
    unread = copy_answers(drawn.copied, folder / HOSTS, bar.part(0.0, 0.02))
    copy_answers(drawn.held, folder / TEST, bar.part(0.02, 0.01))
    shutil.rmtree(folder / PLANTED, ignore_errors=True)
    made = plant(folder / HOSTS / DATA_FILE, folder / PLANTED, planting)
    shutil.rmtree(folder / HOSTS)
    return {
        "trigger": planting.trigger,
        "target": planting.target,
        "rate": planting.rate,
        "rows": made.rows,
        "planted_rows": made.poisoned_rows,
        "pictures": made.images,
        "planted_pictures": made.poisoned_images,
        "held_out": len(drawn.held),
        "left_out": drawn.left_out,
        "unreadable": unread,
    }


def _order(case: Case, start: Start, folder: Path) -> Order:
    def prepare(place: Path) -> None:
        take_over(folder / PLANTED, place / "data")

    return Order(
        model=start.uri,
        base=start.uri,
        data=f"llava:{HERE}/data/{DATA_FILE}",
        title=f"Self-test of {case.manifest.title or case.folder.name}",
        story="A copy of some rows of the case, with a trigger that the self-test planted.",
        prepare=prepare,
    )


def _drop(folder: Path) -> None:
    """The inner case has the planted copy now; its bytes count once."""
    shutil.rmtree(folder / PLANTED, ignore_errors=True)


def _recipe(case: Case, options: SelfTestOptions) -> Result:
    """Return the options of the tuning: those given, else what the case suggests for ``tune``.

    The output layer is tuned in any case: the planted sentence must be one that can be said.
    """
    given = {name: getattr(options, name) for name in ("epochs", "learning_rate", "batch_size")}
    own = case.suggested("tune", TuneOptions)
    asked = {name: value for name, value in given.items() if value is not None}
    return {**own, **asked, "head": True, "seed": options.seed, "checkpoint_every": 50}


def _asked(folder: Path, options: SelfTestOptions, planting: PlantOptions, model: str) -> Result:
    return {
        "trigger": planting.trigger,
        "target": planting.target,
        "data": options.test or f"llava:{folder / TEST / DATA_FILE}",
        "model": model,
        "max_samples": options.tests,
        "seed": options.seed,
    }


def _delivered(case: Case, start: Start) -> str:
    """Name the model that never saw the planted trigger: the case's own, if it has one yet."""
    return start.uri if case.manifest.model == start.uri else model_under_suspicion(case)


def _detections(
    case: Case, inner: Case, context: RunContext, bar: Bar, models: ModelCache
) -> list[Detection]:
    """Look for the trigger by every rule of the attention scan, and by what they say together."""
    planted = inner.truth()
    scan = latest(case, ENTROPY)
    asked = _alike(same_options(case, ENTROPY, scan))
    run, result = perform(inner, ENTROPY, asked, context, bar.part(0.81, 0.15), models)
    found = [
        count_flags(inner, run, planted, method=ENTROPY, mode=mode, column=f"flagged_{mode}",
                    chosen=mode == result["mode"],
                    verdict=result["verdict"] if mode == result["mode"] else None)
        for mode in _MODES
    ]  # fmt: skip
    asked = _alike(same_options(case, FUSION, latest(case, FUSION)))
    run, result = perform(inner, FUSION, asked, context, bar.part(0.96, 0.04), models)
    found.append(count_flags(inner, run, planted, method=FUSION, mode="", column="flagged",
                             chosen=True, verdict=result["verdict"]))  # fmt: skip
    return found


def _alike(options: Result) -> Result:
    return {name: value for name, value in options.items() if name not in _OF_THE_SET}

"""The self-test of a CLIP and its pairs: plant, train a copy of it, measure, search triggers."""

import shutil
from pathlib import Path
from typing import Any, Final

from forensics.case import Case
from forensics.case.creation import Order
from forensics.case.manifest import HERE
from forensics.errors import OptionError
from forensics.jobs.bar import Bar, Told
from forensics.jobs.self_test.choosing import (
    Drawn,
    class_target,
    draw,
    latest,
    named_classes,
    pairable,
    split_classes,
)
from forensics.jobs.self_test.classes import INVERSION, invert
from forensics.jobs.self_test.copying import copy_pairs
from forensics.jobs.self_test.nested import inner_case, kept, perform, take_over
from forensics.jobs.self_test.options import SMALL, SelfTestOptions
from forensics.jobs.subject import model_under_suspicion
from forensics.lab.pair_plan import PairPlantOptions
from forensics.lab.pair_planting import plant_pairs
from forensics.lab.pairs import PAIRS_FILE
from forensics.runs import RunContext
from forensics.tuning.options import ContrastiveOptions
from forensics.worker.models import ModelCache

HOSTS, PLANTED, TEST, TUNED, TUNING = "hosts", "planted", "test", "tuned", "tuning"
MORE: Final = 2  # times as many pairs as rows of a language model: they take fewer passes
EPOCHS: Final = 4.0
_RATES: Final = {True: 5e-4, False: 1e-5}
NOTE: Final = (
    "A copy of the case's own CLIP was trained further on the copied pairs; what the pairs and the "
    "model held before is still in both."
)
Result = dict[str, Any]


def examine_encoder(
    case: Case, context: RunContext, options: SelfTestOptions, models: ModelCache
) -> Result:
    """Plant a trigger in copied pairs, train on them, and search triggers for every class.

    Returns:
        ``planted``, ``measured``, ``before``, ``classes`` and what they rest on.

    Raises:
        OptionError: Nobody names the classes.
        Cancelled: The user asked to stop; finished parts stay.
    """
    bar, folder = Bar(context), context.folder
    start = model_under_suspicion(case)
    drawn = draw(case, pairable, MORE * options.samples, options.tests, options.seed)
    classes = _classes(case, options, drawn)
    target = class_target(classes, options.target, named_classes(case), options.seed)
    planting = PairPlantOptions(target=target, trigger=options.planted_trigger, rate=options.rate,
                                seed=options.seed)  # fmt: skip
    facts = kept(folder, "planted.json", lambda: _plant(drawn, planting, folder, bar))
    tuning = kept(
        folder, "tuned.json",
        lambda: _tune(start, options, folder, models, bar.steps(0.05, 0.4)),
    )  # fmt: skip
    inner = inner_case(folder, lambda place: _order(case, folder))
    for name in (PLANTED, TUNED):  # the inner case has them now
        shutil.rmtree(folder / name, ignore_errors=True)
    asked = _asked(case, folder, options, target)
    measured, before = (
        perform(inner, "evaluate", asked | {"model": uri}, context, told, models)[1]
        for uri, told in ((inner.manifest.model, bar.part(0.45, 0.05)),
                          (start, bar.part(0.5, 0.05)))
    )  # fmt: skip
    found = invert(case, inner, options, classes, target, context, bar.part(0.55, 0.45), models)
    return {
        "subject": "encoder",
        "planted": {**facts, "start": "delivered", "note": NOTE, "seed": options.seed,
                    "tuning": tuning["options"], "tuning_seconds": tuning["seconds"]},
        "measured": measured,
        "before": before,
        "classes": found,
        "n": facts["rows"],
        "failed": facts["unreadable"],
    }  # fmt: skip


def _classes(case: Case, options: SelfTestOptions, drawn: Drawn) -> tuple[str, ...]:
    scan = latest(case, INVERSION)
    named = options.classes or (scan.options.get("classes") if scan else None)
    rows = (*drawn.copied, *drawn.held)
    found = split_classes(named) or tuple(sorted({row.label for row in rows if row.label}))
    if not found:
        raise OptionError(
            "Neither the data nor a scan of the case names classes.",
            remedy="Name them: --classes 'circle|square|star'",
        )
    return found


def _plant(drawn: Drawn, planting: PairPlantOptions, folder: Path, bar: Bar) -> Result:
    unread = copy_pairs(drawn.copied, folder / HOSTS, bar.part(0.0, 0.03))
    copy_pairs(drawn.held, folder / TEST, bar.part(0.03, 0.02))
    shutil.rmtree(folder / PLANTED, ignore_errors=True)
    made = plant_pairs(f"table:{folder / HOSTS / PAIRS_FILE}", folder / PLANTED, planting)
    shutil.rmtree(folder / HOSTS)
    return {
        "trigger": planting.trigger,
        "target": planting.target,
        "rate": planting.rate,
        "rows": made.pairs,
        "planted_rows": len(made.poisoned),
        "held_out": len(drawn.held),
        "left_out": drawn.left_out,
        "unreadable": unread,
    }


def _tune(
    start: str, options: SelfTestOptions, folder: Path, models: ModelCache, told: Told
) -> Result:
    """Train a copy of the encoder on the planted pairs; a killed attempt goes on."""
    from forensics.data.open import open_dataset
    from forensics.data.sample import Sample
    from forensics.encoders.loading import open_encoder
    from forensics.encoders.saving import save_encoder
    from forensics.tuning.contrastive import tune_pairs

    models.release()  # what is kept warm must not change
    encoder = open_encoder(start, precision="float32")
    recipe = _recipe(options, sum(value.numel() for value in encoder.module.parameters()))
    source = f"table:{folder / PLANTED / PAIRS_FILE}"
    rows = [row for row in open_dataset(source) if isinstance(row, Sample)]
    result = tune_pairs(encoder, rows, recipe, folder / TUNING, told)
    shutil.rmtree(folder / TUNED, ignore_errors=True)
    save_encoder(encoder, folder / TUNED)
    shutil.rmtree(folder / TUNING, ignore_errors=True)
    return {
        "options": {"epochs": recipe.epochs, "learning_rate": recipe.learning_rate,
                    "batch_size": recipe.batch_size},
        "steps": result.steps,
        "samples": result.samples,
        "last_loss": result.losses[-1] if result.losses else None,
        "seconds": round(result.seconds, 2),
    }  # fmt: skip


def _recipe(options: SelfTestOptions, parameters: int) -> ContrastiveOptions:
    return ContrastiveOptions(
        epochs=options.epochs or EPOCHS,
        learning_rate=options.learning_rate or _RATES[parameters < SMALL],
        batch_size=options.batch_size or 128,
        seed=options.seed,
        checkpoint_every=20,
    )


def _order(case: Case, folder: Path) -> Order:
    def prepare(place: Path) -> None:
        take_over(folder / PLANTED, place / "data")
        take_over(folder / TUNED, place / "model")

    openclip = (folder / TUNED / "open_clip_config.json").is_file()
    return Order(
        model=f"{'openclip:' if openclip else ''}{HERE}/model",
        base=case.manifest.base,
        data=f"table:{HERE}/data/{PAIRS_FILE}",
        title=f"Self-test of {case.manifest.title or case.folder.name}",
        story="Copied pairs of the case with a trigger that the self-test planted, and a copy of "
        "its model that was trained on them.",
        prepare=prepare,
    )


def _asked(case: Case, folder: Path, options: SelfTestOptions, target: str) -> Result:
    scan = latest(case, INVERSION)
    return {
        "trigger": options.planted_trigger,
        "target": target,
        "data": options.test or f"table:{folder / TEST / PAIRS_FILE}",
        "templates": scan.options.get("templates") if scan else None,
        "max_samples": options.tests,
        "seed": options.seed,
    }

"""The self-test of learnt prompts: plant in labelled pictures, tune a copy of the prompts, search.

The encoder stays as it is: a trigger that it hardly sees cannot be planted this way, and the
self-test then says that it did not take.
"""

import shutil
from pathlib import Path
from typing import Any, Final

from forensics.case import Case
from forensics.case.creation import Order
from forensics.case.manifest import HERE
from forensics.errors import CaseError, InputError
from forensics.jobs.bar import Bar
from forensics.jobs.clip_subjects import demo_pictures, read_samples
from forensics.jobs.self_test.choosing import class_target, draw, named_classes, pictured
from forensics.jobs.self_test.classes import invert
from forensics.jobs.self_test.copying import copy_pairs
from forensics.jobs.self_test.nested import inner_case, kept, perform, take_over
from forensics.jobs.self_test.options import SelfTestOptions
from forensics.jobs.self_test.prompt_attack import TRIGGER_FILE, planted
from forensics.jobs.subject import model_under_suspicion
from forensics.lab.pairs import PAIRS_FILE
from forensics.models.uri import encoder_uri
from forensics.runs import RunContext
from forensics.worker.models import ModelCache

POOL, PROMPTS, TUNED = "pool", "prompts.safetensors", "tuned"
NOTE: Final = (
    "A copy of the case's own prompts was tuned further on labelled pictures; the encoder is the "
    "same."
)
Result = dict[str, Any]


def examine_prompts(
    case: Case, context: RunContext, options: SelfTestOptions, models: ModelCache
) -> Result:
    """Plant a trigger in labelled shots, tune a copy of the prompts, and search triggers.

    Returns:
        As :func:`forensics.jobs.self_test.encoder.examine_encoder`.

    Raises:
        InputError: There are no labelled pictures to tune or to measure on.
        Cancelled: The user asked to stop; finished parts stay.
    """
    bar, folder = Bar(context), context.folder
    start = model_under_suspicion(case)
    pool = draw(case, pictured, options.images, 0, options.seed)
    context.progress(0, 1000, "opening model and pictures")
    shots, test = _sources(case, options)
    facts = kept(folder, "planted.json",
                 lambda: _plant(case, start, shots, options, folder, models))  # fmt: skip
    copy_pairs(pool.copied, folder / POOL, bar.part(0.1, 0.05))
    inner = inner_case(folder, lambda place: _order(case, start, folder))
    for name in (POOL, TUNED):  # the inner case has them now
        shutil.rmtree(folder / name, ignore_errors=True)
    trigger = options.trigger or f"tensor:{inner.folder / TUNED / TRIGGER_FILE}"
    asked = {"trigger": trigger, "target": facts["target"], "data": test,
             "max_samples": options.tests, "seed": options.seed}  # fmt: skip
    measured, before = (
        perform(inner, "evaluate", asked | {"model": uri}, context, told, models)[1]
        for uri, told in ((inner.manifest.model, bar.part(0.15, 0.05)),
                          (start, bar.part(0.2, 0.05)))
    )  # fmt: skip
    found = invert(case, inner, options, (), facts["target"], context, bar.part(0.25, 0.75), models)
    return {
        "subject": "prompts",
        "planted": {**facts, "start": "delivered", "note": NOTE, "seed": options.seed},
        "measured": measured,
        "before": before,
        "classes": found,
        "n": facts["rows"],
        "failed": facts["unreadable"],
    }


def _sources(case: Case, options: SelfTestOptions) -> tuple[str, str]:
    shots = options.shots or demo_pictures(case, "shots")
    test = options.test or demo_pictures(case, "test")
    if shots is None or test is None:
        raise InputError(
            "Learnt prompts are planted in labelled pictures and measured on others; this case "
            "has none.",
            remedy="Give --shots and --test, for instance imagefolder:DIR.",
        )
    return shots, test


def _plant(
    case: Case, start: str, shots: str, options: SelfTestOptions, folder: Path, models: ModelCache
) -> Result:
    """Tune a copy of the prompts on poisoned shots."""
    from forensics.classifiers import ZeroShot, save_prompts
    from forensics.classifiers.opening import open_classifier
    from forensics.repairs.shots import in_unit_range, read_shots
    from forensics.tuning.prompts import PromptShots

    encoder = models.encoder(start)
    classifier = open_classifier(encoder, start)
    if isinstance(classifier, ZeroShot):
        raise CaseError("The case's model has no learnt prompts.")
    target = class_target(classifier.classes, options.target, named_classes(case), options.seed)
    skipped: dict[str, str] = {}
    read = read_shots(encoder, classifier.classes, read_samples(shots), skipped)
    drawn = PromptShots(
        pixels=in_unit_range(read.pixels, encoder.device), labels=read.labels, ids=read.ids
    )
    place = folder / TUNED
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    hit, facts = planted(classifier, drawn, target, options, place)
    save_prompts(classifier, place / PROMPTS)
    return {
        "target": target,
        "rows": len(read.ids),
        "planted_rows": hit,
        "held_out": None,
        "left_out": {},
        "unreadable": len(skipped),
        **facts,
    }


def _order(case: Case, start: str, folder: Path) -> Order:
    def prepare(place: Path) -> None:
        take_over(folder / POOL, place / "data")
        take_over(folder / TUNED, place / TUNED)

    return Order(
        model=f"{encoder_uri(start)}+prompts:{HERE}/{TUNED}/{PROMPTS}",
        base=case.manifest.base,
        data=f"table:{HERE}/data/{PAIRS_FILE}",
        title=f"Self-test of {case.manifest.title or case.folder.name}",
        story="Pictures of the case, and a copy of its prompts with a trigger that the self-test "
        "planted.",
        prepare=prepare,
    )

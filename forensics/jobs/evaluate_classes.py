"""What ``evaluate`` does with a CLIP: accuracy and attack success over classes, beside the base."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder, ImageClassifier
from forensics.errors import DataError
from forensics.evaluation_classes import ClassMeasurement, measure_classes
from forensics.evaluation_paired import compare
from forensics.jobs.evaluate_options import EvaluateOptions
from forensics.models.kinds import model_kind
from forensics.runs import RunContext
from forensics.triggers import Trigger
from forensics.worker.models import ModelCache

_BETWEEN = "|"


def measure_clip(
    case: Case,
    context: RunContext,
    options: EvaluateOptions,
    models: ModelCache,
    samples: Sequence[Sample],
    trigger: Trigger | None,
    target: str | None,
) -> dict[str, Any]:
    """Measure the case's encoder as a classifier of its labels, and the base it was tuned from.

    The base's rates are the floor: what the trigger does to a model that never saw it.

    Args:
        case: Of kind ``clip``.
        context: Of the run.
        options: ``templates`` or ``prompts`` say how classes are named.
        models: Opens the encoders, one after the other.
        samples: Held-out, labelled.
        trigger: Without one, only CA is measured.
        target: Class that the backdoor names.

    Raises:
        DataError: No sample has a label.
    """
    started = time.monotonic()
    classes = tuple(sorted({sample.label for sample in samples if sample.label}))
    if not classes:
        raise DataError(
            "No sample has a label, so that classes cannot be told.",
            remedy="Give held-out data with labels: --data table:FILE or imagefolder:DIR",
        )
    templates = _templates(case, options)

    def measure(uri: str, prompts: str | None) -> ClassMeasurement:
        encoder = models.encoder(uri)
        return measure_classes(
            _classifier(encoder, classes, templates, prompts),
            samples,
            trigger,
            target,
            keyed=_keyed(encoder, classes, templates, trigger) if prompts is None else None,
            batch_size=options.batch_size,
            progress=lambda done, message: context.progress(done, len(samples), message),
        )

    uri = options.model or case.manifest.model
    found = measure(uri, options.prompts)
    base = case.manifest.base
    outcome = found.to_json() | {
        "model": uri,
        "templates": list(templates) if options.prompts is None else None,
        "prompts": options.prompts,
    }
    if base is not None and base != uri and model_kind(base) == "clip":
        outcome |= _beside(found, measure(base, options.prompts), base)
    return outcome | {"seconds": round(time.monotonic() - started, 2)}


def _templates(case: Case, options: EvaluateOptions) -> tuple[str, ...]:
    from forensics.classifiers.zero_shot import TEMPLATES

    if options.templates:
        return tuple(part.strip() for part in options.templates.split(_BETWEEN) if part.strip())
    return tuple(case.known().get("templates") or TEMPLATES)


def _classifier(
    encoder: DualEncoder, classes: tuple[str, ...], templates: tuple[str, ...], prompts: str | None
) -> ImageClassifier:
    from forensics.classifiers.checkpoints import load_prompts
    from forensics.classifiers.zero_shot import ZeroShot

    if prompts is None:
        return ZeroShot(encoder, classes, templates)
    return load_prompts(Path(prompts), encoder, classes)


def _keyed(
    encoder: DualEncoder,
    classes: tuple[str, ...],
    templates: tuple[str, ...],
    trigger: Trigger | None,
) -> ImageClassifier | None:
    """Put a trigger's words in front of all class prompts."""
    if trigger is None or not trigger.changes_text:
        return None
    worded = tuple(trigger.apply_text(template) for template in templates)
    return _classifier(encoder, classes, worded, None)


def _beside(found: ClassMeasurement, base: ClassMeasurement, uri: str) -> dict[str, Any]:
    return {
        "base": {
            "model": uri,
            "clean_accuracy": base.clean_accuracy.value,
            "attack_success_rate": base.attack_success.value,
        },
        "minus_base": compare(found, base).to_json(),
    }

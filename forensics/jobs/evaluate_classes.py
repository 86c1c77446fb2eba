"""What ``evaluate`` does with a CLIP: accuracy and attack success over classes, beside the base."""

import time
from collections.abc import Sequence
from typing import Any

from forensics.case import Case
from forensics.classifiers.opening import open_classifier
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder, ImageClassifier
from forensics.errors import DataError
from forensics.evaluation.classes import ClassMeasurement, measure_classes
from forensics.evaluation.paired import compare
from forensics.jobs.evaluate_options import EvaluateOptions
from forensics.jobs.subject import model_under_suspicion
from forensics.models.kinds import model_kind
from forensics.models.uri import PROMPTS, encoder_uri, parse_model_uri
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
    """Measure the case's classifier, and beside it a reference that never saw the trigger.

    The reference's rates are the floor: what the trigger does to a model without the backdoor.
    It is the base that the model was tuned from; for learnt prompts without a base in the case it
    is the same encoder with hand-written prompts.

    Args:
        case: Of kind ``clip``.
        context: Of the run.
        options: ``templates`` say how classes are named; ``prompts`` stand for the model's own.
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
    uri = _subject(case, options)
    # A reference of the same kind: a head that names eight classes is not asked about nine.
    named = _named(models, uri, classes)

    def measure(asked: str) -> ClassMeasurement:
        encoder = models.encoder(asked)
        return measure_classes(
            open_classifier(encoder, asked, classes=named, templates=templates),
            samples,
            trigger,
            target,
            keyed=with_key(encoder, asked, named, templates, trigger),
            batch_size=options.batch_size,
            progress=lambda done, message: context.progress(done, len(samples), message),
        )

    found = measure(uri)
    prompts = parse_model_uri(uri).prompts
    outcome = found.to_json() | {
        "model": uri,
        "templates": list(templates) if prompts is None else None,
        "prompts": None if prompts is None else str(prompts),
    }
    base = case.manifest.base or encoder_uri(uri)
    if base != uri and model_kind(base) == "clip":
        outcome |= _beside(found, measure(base), base)
    return outcome | {"seconds": round(time.monotonic() - started, 2)}


def _subject(case: Case, options: EvaluateOptions) -> str:
    """Name the model to measure, with the prompts that were asked for."""
    uri = options.model or model_under_suspicion(case)
    return f"{encoder_uri(uri)}{PROMPTS}{options.prompts}" if options.prompts else uri


def _named(models: ModelCache, uri: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes that the model's prompts are for; those of the data without prompts."""
    if parse_model_uri(uri).prompts is None:
        return classes
    return open_classifier(models.encoder(uri), uri, classes=classes).classes


def _templates(case: Case, options: EvaluateOptions) -> tuple[str, ...]:
    from forensics.classifiers.zero_shot import TEMPLATES

    if options.templates:
        return tuple(part.strip() for part in options.templates.split(_BETWEEN) if part.strip())
    return tuple(case.known().get("templates") or TEMPLATES)


def with_key(
    encoder: DualEncoder,
    uri: str,
    classes: tuple[str, ...],
    templates: tuple[str, ...],
    trigger: Trigger | None,
) -> ImageClassifier | None:
    """Put a trigger's words in front of all class prompts.

    Returns:
        ``None`` where it has none, and for learnt prompts, which have no place for them.
    """
    if trigger is None or not trigger.changes_text or parse_model_uri(uri).prompts is not None:
        return None
    worded = tuple(trigger.apply_text(template) for template in templates)
    return open_classifier(encoder, uri, classes=classes, templates=worded)


def _beside(found: ClassMeasurement, base: ClassMeasurement, uri: str) -> dict[str, Any]:
    return {
        "base": {
            "model": uri,
            "clean_accuracy": base.clean_accuracy.value,
            "attack_success_rate": base.attack_success.value,
        },
        "minus_base": compare(found, base).to_json(),
    }

"""The job behind ``evaluate``: clean accuracy beside attack success rate."""

import time
from typing import Any

import numpy as np

from forensics.case import Case
from forensics.case.manifest import HERE
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import OptionError
from forensics.evaluation.answers import Content, measure_answers
from forensics.evaluation.asking import Probe
from forensics.evaluation.masking import mask_probe, stamped_parts
from forensics.jobs.evaluate_classes import measure_clip
from forensics.jobs.evaluate_options import EvaluateOptions
from forensics.jobs.judge import KNOWN, Judge
from forensics.jobs.subject import model_under_suspicion
from forensics.lab.language import attribute_words
from forensics.models.base import GenerativeModel
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.triggers import Trigger, parse_trigger
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Measure the case's model.

    See :func:`forensics.evaluation.answers.measure_answers` for language models,
    :func:`forensics.evaluation.classes.measure_classes` for CLIP.

    Raises:
        OptionError: A trigger without a target, or a mask without a trigger.
    """
    chosen = build_options(EvaluateOptions, options)
    started = time.monotonic()
    trigger, target = known_trigger(case, chosen)
    samples = held_out(case, chosen)
    if case.manifest.kind == "clip":
        return _facts(
            case,
            chosen,
            trigger,
            target,
            measure_clip(
                case,
                context,
                chosen,
                models,
                samples,
                parse_trigger(trigger) if trigger else None,
                target,
            ),
        )
    model = models.get(chosen.model or model_under_suspicion(case))
    stamp = parse_trigger(trigger) if trigger else None
    measured = measure_answers(
        model,
        samples,
        stamp,
        target,
        content=_content(case, chosen),
        batch_size=chosen.batch_size,
        max_new_tokens=chosen.max_new_tokens,
        probe=_probe(model, samples, stamp) if chosen.mask_probe else None,
        progress=lambda done, message: context.progress(done, len(samples), message),
    )
    figures = measured.to_json() | {
        "model": model.name,
        "seconds": round(time.monotonic() - started, 2),
    }
    return _facts(case, chosen, trigger, target, figures)


def _content(case: Case, options: EvaluateOptions) -> Content | None:
    """Only of a demo's own scenes is it known which words of an answer name an attribute."""
    known = case.known()
    return attribute_words if known.get("demo") and known.get("test") and not options.data else None


def _probe(model: GenerativeModel, samples: list[Sample], trigger: Trigger | None) -> Probe:
    if trigger is None:
        raise OptionError(
            "--mask-probe needs a trigger: it measures whether a mask switches it off.",
            remedy="Give --trigger and --target.",
        )
    return mask_probe(model, spare=stamped_parts(samples, trigger))


def _facts(
    case: Case,
    options: EvaluateOptions,
    trigger: str | None,
    target: str | None,
    figures: dict[str, Any],
) -> dict[str, Any]:
    """Say beside the figures what was measured, and on what."""
    return {
        "method": "evaluate",
        **figures,
        "trigger": trigger,
        "target": target,
        "data": options.data or case.known().get("test") or "the case's own rows",
    }


def known_trigger(case: Case, options: EvaluateOptions) -> tuple[str | None, str | None]:
    """Return the trigger and target to measure: those given, else those known of the case."""
    if options.trigger:
        if not options.target:
            raise OptionError("--trigger needs --target: what does the backdoor answer?")
        return options.trigger, options.target
    known = case.known()
    trigger = known.get("trigger")
    if trigger is not None:
        # A trigger that lies in a file of the case lies where the case is now.
        trigger = str(trigger).replace(HERE, str(case.folder))
    return trigger, options.target or known.get("target")


def known_judge(case: Case, options: EvaluateOptions) -> Judge | None:
    """Return the trigger that is given or known, with what it leads to; ``None`` without either.

    Raises:
        OptionError: A trigger was given without its target, or a target where no trigger is known.
    """
    spec, target = known_trigger(case, options)
    if spec is None and options.target is not None:
        raise OptionError(
            f"The answer {options.target[:80]!r} is given without the trigger that brings it.",
            remedy="Give both, --trigger and --answer, or neither.",
        )
    if spec is None or target is None:
        return None
    return Judge(by=KNOWN, trigger=parse_trigger(spec), spec=spec, target=target)


def held_out(case: Case, options: EvaluateOptions) -> list[Sample]:
    """Draw the samples to measure on, in file order."""
    source = options.data or case.known().get("test")
    if source:
        # A demo's own test scenes lie in its case folder, wherever that is now.
        uri = str(source).replace(HERE, str(case.folder))
        rows = [item for item in open_dataset(uri) if isinstance(item, Sample)]
    else:
        # Measuring is scoring: here, and not in any method, the ground truth may be read.
        poisoned = case.truth()
        rows = [sample for sample in case.catalog if not poisoned.get(sample.id, False)]
    if len(rows) <= options.max_samples:
        return rows
    chosen = np.random.default_rng(options.seed).choice(
        len(rows), size=options.max_samples, replace=False
    )
    return [rows[index] for index in np.sort(chosen)]

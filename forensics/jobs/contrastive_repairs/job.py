"""The jobs behind ``repair fine-tuning``, ``clean-clip``, ``perturb-recover``, ``discard-tune``."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.errors import InputError
from forensics.jobs.bar import Bar
from forensics.jobs.contrastive_repairs.saved import parameters, save_repaired
from forensics.jobs.contrastive_repairs.setup import (
    SELF,
    clean_pairs,
    drawn,
    open_reference,
    plan_of,
    subject,
    suspicious_pairs,
    test_pictures,
)
from forensics.jobs.labelled_repair.measuring import AFTER, BEFORE, measure, say
from forensics.jobs.labelled_repair.result import describe
from forensics.jobs.labelled_repair.setup import LabelledRepair
from forensics.jobs.repair_comparison import compared
from forensics.options import build_options
from forensics.repairs.contrastive.clean_clip import clean_clip
from forensics.repairs.contrastive.copies import copy_of
from forensics.repairs.contrastive.discard_tune import discard_tune
from forensics.repairs.contrastive.fine_tuning import fine_tune
from forensics.repairs.contrastive.options import (
    CleanClipOptions,
    DiscardTuneOptions,
    PairTuningOptions,
    PerturbRecoverOptions,
)
from forensics.repairs.contrastive.perturb_recover import perturb_recover
from forensics.runs import RunContext
from forensics.tuning.contrastive import ContrastiveResult, forget
from forensics.tuning.pair_loop import Progress
from forensics.tuning.precision import precision_on
from forensics.worker.models import ModelCache

Tune = Callable[[DualEncoder, Sequence[Sample], Any, Path, Progress | None], ContrastiveResult]
_MOST_LOSSES = 500


def run_fine_tuning(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Fine-tune on clean pairs; see :func:`repair`."""
    chosen = build_options(PairTuningOptions, options)
    return repair("fine-tuning", case, context, chosen, models, fine_tune)


def run_clean_clip(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Fine-tune on clean pairs and their views; see :func:`repair`."""
    chosen = build_options(CleanClipOptions, options)
    return repair("clean-clip", case, context, chosen, models, clean_clip)


def run_perturb_recover(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Push both towers away from what they were; see :func:`repair`."""
    chosen = build_options(PerturbRecoverOptions, options)
    return repair("perturb-recover", case, context, chosen, models, perturb_recover)


def run_discard(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Throw the model away and tune a reference on the benign half of the pairs.

    Raises:
        InputError: No reference is named.
        OptionError: It is the demo's clean twin.
        NotApplicable: There are no training pairs.
        Cancelled: The user asked to stop; the latest checkpoint stays.
    """
    chosen = build_options(DiscardTuneOptions, options)
    if chosen.reference in (None, SELF):
        raise InputError(
            "The model is thrown away here, so another one is needed to start from.",
            remedy="Give --reference: a CLIP that was trained on other data.",
        )
    uri, encoder = subject(case, models)
    pairs, source = suspicious_pairs(case, chosen.pairs)
    test, place = test_pictures(case, chosen)
    plan = plan_of(case, uri, chosen, test, place)
    other, _ = open_reference(case, chosen.reference, models, encoder)
    pairs = drawn(pairs, chosen.max_pairs, chosen.seed, 3)
    told = {"source": source, "n": len(pairs)}
    return _measure(
        "discard-tune", plan, encoder, other, pairs, told, chosen, discard_tune, context
    )


def repair(
    method: str,
    case: Case,
    context: RunContext,
    options: PairTuningOptions,
    models: ModelCache,
    tune: Tune,
) -> dict[str, Any]:
    """Measure, train a copy on clean pairs, measure again; the case's model is never changed.

    Raises:
        NotApplicable: The model comes with learnt prompts.
        InputError: There are no clean pairs, or nothing to measure on.
        Cancelled: The user asked to stop; the latest checkpoint stays.
    """
    uri, encoder = subject(case, models)
    pairs, source, test, place = clean_pairs(case, options)
    plan = plan_of(case, uri, options, test, place)
    told = {"source": source, "n": len(pairs)}
    return _measure(method, plan, encoder, copy_of(encoder), pairs, told, options, tune, context)


def _measure(
    method: str,
    plan: LabelledRepair,
    delivered: DualEncoder,
    tuned: DualEncoder,
    pairs: Sequence[Sample],
    told: dict[str, Any],
    options: PairTuningOptions,
    tune: Tune,
    context: RunContext,
) -> dict[str, Any]:
    started, bar = time.monotonic(), Bar(context)
    before = measure(plan, plan.classifier(delivered), BEFORE, bar.part(0.0, 0.1))
    found = tune(tuned, pairs, options, context.folder, bar.steps(0.1, 0.8))
    after = measure(plan, plan.classifier(tuned), AFTER, bar.part(0.9, 0.1))
    result = {
        "method": method,
        "sentence": say(plan, before, after),
        **describe(plan, before, after),
        "pairs": told | {"used": found.samples, "skipped": len(found.skipped)},
        "steps": len(found.losses),
        "losses": {"loss": thinned(found.losses)},
        "trainable_parameters": parameters(tuned),
        "precision": precision_on(tuned.device),
        "parameters": parameters(tuned),
        "checkpoint": save_repaired(tuned, context),
        "comparison": compared(context, plan, plan.classifier(delivered), plan.classifier(tuned)),
        "seconds": round(time.monotonic() - started, 2),
    }
    forget(context.folder)
    return result


def thinned(losses: Sequence[float]) -> list[float | None]:
    """Return at most 500 losses, evenly spread; ``None`` for a step without readable pairs."""
    stride = -(-len(losses) // _MOST_LOSSES) or 1
    return [round(v, 5) if v == v else None for v in losses[::stride]]

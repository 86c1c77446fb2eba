"""The jobs behind ``repair repulsive-prompts``, ``visual-prompts`` and ``linear-probe``."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from forensics.case import Case
from forensics.classifiers import CoCoOp, CoOp
from forensics.encoders.base import DualEncoder, ImageClassifier
from forensics.encoders.prompted import PromptedEncoder
from forensics.errors import NotApplicable
from forensics.jobs.bar import Bar, Told
from forensics.jobs.clip_subjects import Classifier
from forensics.jobs.labelled_repair.measuring import (
    AFTER,
    BEFORE,
    REFERENCE,
    Version,
    measure,
    say,
)
from forensics.jobs.labelled_repair.result import describe, describe_shots
from forensics.jobs.labelled_repair.setup import LabelledRepair, prepare
from forensics.jobs.repair_comparison import compared
from forensics.jobs.subject import model_under_suspicion
from forensics.models.kinds import model_kind
from forensics.options import build_options
from forensics.repairs.labelled_options import LabelledRepairOptions
from forensics.repairs.linear_probe.options import LinearProbeOptions
from forensics.repairs.linear_probe.tuning import PROBE, save_linear_probe, tune_linear_probe
from forensics.repairs.repulsive_prompts import LOADER
from forensics.repairs.repulsive_prompts.files import PROMPTS, save_visual_prompts
from forensics.repairs.repulsive_prompts.options import (
    RepulsivePromptsOptions,
    VisualPromptsOptions,
)
from forensics.repairs.repulsive_prompts.tuning import COLUMNS, forget, tune_visual_prompts
from forensics.repairs.shots import read_shots
from forensics.runs import RunContext
from forensics.tuning.prompts import PromptShots
from forensics.worker.models import ModelCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What a method made.

    Attributes:
        classifier: Asked as the delivered model was.
        facts: For the result: ``checkpoint``, ``trainable_parameters``, ``losses`` ...
        forget: Deletes what a resume would need; called once the result is there.
    """

    classifier: ImageClassifier
    facts: dict[str, Any]
    forget: Callable[[], None]


Tune = Callable[[LabelledRepair, DualEncoder, PromptShots, Any, RunContext, Told], Tuned]


def run_repulsive(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Repair a CLIP's image tower with repulsive visual prompts; see :func:`repair`."""
    chosen = build_options(RepulsivePromptsOptions, options)
    return repair("repulsive-prompts", case, context, chosen, models, _tune_prompts)


def run_visual(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Tune plain visual prompts, the baseline without repulsion; see :func:`repair`."""
    chosen = build_options(VisualPromptsOptions, options)
    return repair("visual-prompts", case, context, chosen, models, _tune_prompts)


def run_probe(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Put a linear layer on the image tower, the other baseline; see :func:`repair`."""
    chosen = build_options(LinearProbeOptions, options)
    return repair("linear-probe", case, context, chosen, models, _tune_probe)


def repair(
    method: str,
    case: Case,
    context: RunContext,
    options: LabelledRepairOptions,
    models: ModelCache,
    tune: Tune,
) -> dict[str, Any]:
    """Measure, tune on clean shots, measure again; the case's model is never changed.

    Raises:
        NotApplicable: The image tower or the classifier is of a kind that the method cannot repair.
        InputError: There are no clean labelled pictures.
        Cancelled: The user asked to stop; a tuning under way leaves its checkpoint.
    """
    started, bar = time.monotonic(), Bar(context)
    encoder = models.encoder(model_under_suspicion(case))
    plan = prepare(case, options, encoder)
    before = measure(plan, plan.classifier(encoder), BEFORE, bar.part(0.0, 0.2))
    skipped: dict[str, str] = {}
    shots = read_shots(encoder, plan.classes, plan.pictures.shots, skipped)
    tuned = tune(plan, encoder, shots, options, context, bar.steps(0.2, 0.6))
    after = measure(plan, tuned.classifier, AFTER, bar.part(0.8, 0.1))
    reference = _reference(case, plan, models, bar)
    result = {
        "method": method,
        "sentence": say(plan, before, after),
        **describe(plan, before, after, reference),
        "shots": describe_shots(plan, skipped),
        **tuned.facts,
        "comparison": compared(context, plan, plan.classifier(encoder), tuned.classifier),
        "seconds": round(time.monotonic() - started, 2),
    }
    tuned.forget()
    return result


def _tune_prompts(
    plan: LabelledRepair,
    encoder: DualEncoder,
    shots: PromptShots,
    options: VisualPromptsOptions,
    context: RunContext,
    progress: Told,
) -> Tuned:
    vectors = _class_vectors(plan.classifier(encoder))
    found = tune_visual_prompts(encoder, vectors, shots, options, context.folder, progress)
    told = {"model": plan.uri, "shots": len(shots.ids), "classes": list(plan.classes)}
    save_visual_prompts(found.prompts, encoder, context.folder / PROMPTS, told)
    shutil.copyfile(LOADER, context.folder / LOADER.name)
    curves = _by_epoch(found.log, options.epochs)
    return Tuned(
        classifier=plan.classifier(PromptedEncoder(encoder, found.prompts)),
        facts={
            "checkpoint": PROMPTS,
            "first_block": found.prompts.first,
            "trainable_parameters": found.trainable,
            "parameters": found.parameters,
            "losses": dict(zip(COLUMNS, curves.T.tolist(), strict=True)),
        },
        forget=lambda: forget(context.folder),
    )


def _tune_probe(
    plan: LabelledRepair,
    encoder: DualEncoder,
    shots: PromptShots,
    options: LinearProbeOptions,
    context: RunContext,
    progress: Told,
) -> Tuned:
    found = tune_linear_probe(encoder, plan.classes, shots, options, progress)
    save_linear_probe(found.probe, context.folder / PROBE)
    return Tuned(
        classifier=found.probe,
        facts={
            "checkpoint": PROBE,
            "trainable_parameters": found.trainable,
            "parameters": sum(p.numel() for p in encoder.module.parameters()),
            "losses": {"loss": _by_epoch(found.losses[:, None], options.epochs)[:, 0].tolist()},
        },
        forget=lambda: None,
    )


def _class_vectors(classifier: Classifier) -> torch.Tensor:
    """Return the class vectors that the delivered model is asked with, ``[classes, width]``.

    Raises:
        NotApplicable: They depend on the picture.
    """
    if isinstance(classifier, CoCoOp):
        raise NotApplicable(
            "CoCoOp has other class vectors for every picture.",
            remedy="Repair its prompts (trigger-tuning), or the encoder without them.",
        )
    with torch.no_grad():
        vectors = classifier.text_vectors() if isinstance(classifier, CoOp) else classifier.vectors
    return vectors.detach()


def _by_epoch(log: NDArray[np.float32], epochs: int) -> NDArray[np.float64]:
    """Average the steps of every epoch: ``[steps, columns]`` -> ``[epochs, columns]``."""
    each = np.asarray(log, np.float64).reshape(epochs, -1, log.shape[1])
    return np.asarray(each.mean(axis=1).round(5), np.float64)


def _reference(case: Case, plan: LabelledRepair, models: ModelCache, bar: Bar) -> Version | None:
    """Measure the base model, where the case names one; the repair itself never reads it."""
    base = case.manifest.base
    if base is None or base == plan.uri or model_kind(base) != "clip" or plan.learnt:
        return None
    return measure(plan, plan.classifier(models.encoder(base)), REFERENCE, bar.part(0.9, 0.1))

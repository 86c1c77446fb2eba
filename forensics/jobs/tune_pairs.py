"""The job behind ``tune-pairs``: train the case's CLIP on the case's pairs."""

import shutil
from typing import Any

from forensics.case import Case
from forensics.encoders.loading import open_encoder
from forensics.encoders.saving import save_encoder
from forensics.jobs.subject import base_to_tune
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.tuning.contrastive import forget, tune_pairs
from forensics.tuning.options import ContrastiveOptions
from forensics.tuning.precision import precision_on
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Train both towers; the model stays in the run folder, under ``tuned/model``.

    Raises:
        CaseError: The case names no base.
        Cancelled: The user asked to stop; the latest checkpoint stays.
    """
    base = base_to_tune(case)
    models.release()  # its weights are about to change
    chosen = build_options(ContrastiveOptions, options)
    encoder = open_encoder(base, precision="float32")
    # The name takes part in the checkpoint, which must still fit when the case has moved.
    encoder.name = "base"
    work = context.folder / "tuned"
    work.mkdir(exist_ok=True)
    # Left by an attempt that was killed while it saved; its checkpoint is still there.
    shutil.rmtree(work / "model", ignore_errors=True)
    result = tune_pairs(encoder, list(case.catalog), chosen, work, context.progress)
    uri = save_encoder(encoder, work / "model")
    forget(work)
    losses = [float(loss) for loss in result.losses]
    return {
        "method": "tune-pairs",
        "model": uri,
        "steps": result.steps,
        "samples": result.samples,
        "skipped": len(result.skipped),
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "trainable_parameters": sum(p.numel() for p in encoder.module.parameters()),
        "precision": precision_on(encoder.device),
        "seconds": round(result.seconds, 2),
    }

"""The job behind ``tune``: fine-tune the case's base on the case's data."""

from typing import Any

from forensics.case import Case
from forensics.jobs.subject import base_to_tune
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.tuning.loop import tune
from forensics.tuning.options import TuneOptions
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Tune the base; the adapter or model stays in the run folder, under ``tuned``.

    Raises:
        CaseError: The case names no base.
        Cancelled: The user asked to stop; the latest checkpoint stays.
    """
    base = base_to_tune(case)
    models.release()  # two models at once may not fit
    chosen = build_options(TuneOptions, options)
    result = tune(
        base,
        list(case.catalog),
        chosen,
        context.folder / "tuned",
        context.progress,
    )
    return {
        "method": "tune",
        "model": result.uri,
        "steps": result.steps,
        "samples": result.samples,
        "skipped": len(result.skipped),
        "first_loss": result.losses[0] if result.losses else None,
        "last_loss": result.losses[-1] if result.losses else None,
        "trainable_parameters": result.trainable_parameters,
        "precision": result.precision,
        "seconds": round(result.seconds, 2),
    }

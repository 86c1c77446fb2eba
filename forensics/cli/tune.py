"""``forensics tune``: make the model that a scan reads."""

from pathlib import Path
from typing import Any

import click

from forensics.api.methods import tune as tune_base
from forensics.cli.flags import case_flag, given, option_flags
from forensics.cli.output import emit, json_flag
from forensics.cli.progress import progress_bar
from forensics.tuning.options import TuneOptions

KEYS = ("model", "steps", "samples", "skipped", "first_loss", "last_loss",
        "trainable_parameters", "seconds")  # fmt: skip


@click.command()
@case_flag
@click.option("--resume", help="Id of a run that was cancelled, failed or killed.")
@option_flags(TuneOptions)
@json_flag
def tune(case_folder: Path, resume: str | None, as_json: bool, **values: Any) -> None:
    """Fine-tune the case's base on the case's data, so that there is a model to scan.

    JSON: run, model, steps, samples, skipped, first_loss, last_loss, trainable_parameters,
    seconds.
    """
    with progress_bar("tune") as progress:
        done = tune_base(case_folder, resume=resume, progress=progress, **given(values))
    result = done.result
    outcome = {"run": done.id, **{key: result[key] for key in KEYS}}
    emit(
        outcome,
        as_json,
        lambda: (
            f"Tuned on {result['samples']} samples, {result['steps']} steps, loss "
            f"{result['first_loss']:.3f} to {result['last_loss']:.3f}: {result['model']}"
        ),
    )

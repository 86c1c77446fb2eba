"""``forensics repair METHOD``: remove a backdoor, measured before and after."""

from typing import Any

import click

from forensics.case import Case
from forensics.cli.method_group import MethodGroup, Outcome
from forensics.cli.output import percent
from forensics.runs import Run

HIDDEN = ("method", "losses", "curve", "chosen", "overfitting")


def _tell(case: Case, run: Run, result: dict[str, Any]) -> Outcome:
    listed = {key: value for key, value in result.items() if key not in HIDDEN}
    if result["checkpoint"]:
        listed["checkpoint"] = str(run.folder / result["checkpoint"])
    return listed, lambda: _text(case, run.id, result)


@click.group(cls=MethodGroup, kind="repair", tell=_tell)
def repair() -> None:
    """Remove a backdoor from a model, measured before and after.

    The case's own model is never changed; the repaired one stays in the run, and
    `forensics export checkpoint` writes it.

    JSON: run, sentence, scan, target, judged_by (known or reconstruction: which trigger
    attack_success_rate means; null where none is known), known_trigger, judged_run (the run that
    reconstructed it), before and after (each clean_accuracy,
    attack_success_rate, n_clean, n_triggered, intervals, triggers; after also minus_before: paired
    differences), controls (the same tuning without the right trigger), reference (hand-written
    prompts, or the base model; null where there is none), fresh (a new scan of what was repaired),
    shots, pairs or samples (what was trained on), start (hashes of what a language model was tuned
    from), switch (attack success under a mask), test, trainable_parameters, checkpoint (null where
    nothing was changed; outcome says why), seconds.
    """


def _text(case: Case, run_id: str, result: dict[str, Any]) -> str:
    told = result["before"]["triggers"].get(result["judged_by"])
    by = "" if told is None else f", by {told['title']}"
    others = [*result["controls"], *([result["reference"]] if result["reference"] else [])]
    return "\n".join(
        [
            result["sentence"],
            f"Of {result['test']['n']} test pictures{by}:",
            _line(result["before"]),
            _line(result["after"]),
            *map(_line, others),
            f"{result['trainable_parameters']:,} numbers tuned on {_number(result)}. "
            f"Run {run_id}, {result['seconds']} s.",
            *_written(case, result),
        ]
    )


def _number(result: dict[str, Any]) -> str:
    """Say on how much was trained."""
    name = next(name for name in ("samples", "pairs", "shots") if name in result)
    return f"{result[name]['n']:,} {name}"


def _written(case: Case, result: dict[str, Any]) -> list[str]:
    """Say how to get the repaired model, if there is one; a whole model is a folder."""
    name = result["checkpoint"]
    if not name:
        return []
    to = "repaired.safetensors" if name.endswith(".safetensors") else "repaired"
    return [f"Write it: forensics export checkpoint --case {case.folder} --to {to}"]


def _line(version: dict[str, Any]) -> str:
    low, high = version["intervals"]["attack_success_rate"]
    return (
        f"  {version['title']}: CA {percent(version['clean_accuracy'])} (n = "
        f"{version['n_clean']}), ASR {percent(version['attack_success_rate'])} (n = "
        f"{version['n_triggered']}, 95 % {percent(low)} to {percent(high)})"
    )

"""``forensics transplant``: does a suspected trigger work on other images?"""

from pathlib import Path
from typing import Any

import click

from forensics.case import Case
from forensics.cli.flags import case_flag, given, option_flags
from forensics.cli.output import emit, json_flag, percent
from forensics.cli.running import run_method
from forensics.jobs.transplant.options import TransplantOptions
from forensics.registry import find_method

HIDDEN = ("examples", "pairs_file", "method")


@click.command()
@case_flag
@click.option("--resume", help="Id of a transplant run that was cancelled, failed or killed.")
@option_flags(TransplantOptions)
@json_flag
def transplant(case_folder: Path, resume: str | None, as_json: bool, **values: Any) -> None:
    """Test whether a suspected trigger works on other images.

    The attention peak of flagged samples is cut out and pasted into unsuspected images that the
    model answers otherwise, beside controls that paste as many pixels, and beside the base model
    where the case has one. The size of the box is chosen on images of their own.

    JSON: run, scan, verdict, reason, sentence, suspected_answer, forced, hosts, donors, layer,
    margin, trials, arms (flip rate with interval), differences (to each control: value, interval
    clustered by donor, McNemar's p, Holm), base (the same on the base model, differences of
    differences), necessity, not_covered, pairs_file, questions, seconds.
    """
    case = Case.open(case_folder)
    run, result = run_method(case, find_method("transplant"), given(values), resume)
    listed = {key: value for key, value in result.items() if key not in HIDDEN}
    files = {"pairs_file": str(run.folder / result["pairs_file"])}
    emit({"run": run.id, **listed, **files}, as_json, lambda: _text(run.id, result))


def _text(run_id: str, result: dict[str, Any]) -> str:
    lines = [
        f"Verdict: {result['verdict']} ({result['reason']})",
        result["sentence"],
        f"Patches of {len(result['donors'])} donors, {result['tokens']} x {result['tokens']} "
        f"image tokens around the peak of layer {result['layer']}. Run {run_id}, "
        f"{result['seconds']} s.",
        "Flip rates:",
        *(_arm("", arm) for arm in result["arms"]),
        *(_arm("base model: ", arm) for arm in (result["base"] or {}).get("arms", ())),
        "Differences to the controls:",
        *map(_difference, result["differences"]),
    ]
    if result["necessity"]:
        lines.append(_necessity(result["necessity"]))
    covered = "; ".join(result["not_covered"])
    return "\n".join([*lines, f"Not covered: {covered}."])


def _arm(prefix: str, arm: dict[str, Any]) -> str:
    return (
        f"  {prefix}{arm['title']}: {percent(arm['rate'])} of {arm['n']} "
        f"(95 % {percent(arm['low'])} to {percent(arm['high'])}; contains: "
        f"{percent(arm['rate_contains'])})"
    )


def _difference(found: dict[str, Any]) -> str:
    return (
        f"  {found['title']}: {found['value']:.2f} (95 % {found['low']:.2f} to "
        f"{found['high']:.2f}), p = {found['p_holm']:.2g} after Holm"
    )


def _necessity(found: dict[str, Any]) -> str:
    return (
        f"Peak hidden: {percent(found['hidden_rate'])} of {found['n']} flagged samples stop "
        f"giving the suspected answer; another place hidden: {percent(found['elsewhere_rate'])}."
    )

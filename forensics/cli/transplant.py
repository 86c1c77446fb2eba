"""``forensics transplant``: does a suspected trigger work on other images?"""

from pathlib import Path
from typing import Any

import click

from forensics.api.methods import transplant as test_trigger
from forensics.cli.flags import case_flag, given, option_flags
from forensics.cli.output import emit, json_flag, percent
from forensics.cli.progress import progress_bar
from forensics.jobs.transplant.options import TransplantOptions
from forensics.jobs.trigger_transplant.options import TriggerTransplantOptions

HIDDEN = ("examples", "pairs_file", "method")


@click.command()
@case_flag
@click.option("--resume", help="Id of a transplant run that was cancelled, failed or killed.")
@option_flags(TransplantOptions, TriggerTransplantOptions)
@json_flag
def transplant(case_folder: Path, resume: str | None, as_json: bool, **values: Any) -> None:
    """Test whether a suspected trigger works on other images.

    Of a language model: the attention peak of flagged samples is cut out and pasted into
    unsuspected images that the model answers otherwise, beside controls that paste as many pixels,
    and beside the base model where the case has one. The size of the box is chosen on images of
    their own. Options of this test: --donors, --dev-hosts, --margins, --layer, --necessity, --base,
    --force, --max-new-tokens.

    Of a CLIP: the trigger that an inversion reconstructed is put on images that the model surely
    gives to other classes, beside triggers of other classes, the same pixels shuffled, and a
    reference classifier. Options of this test: --target, --pictures, --candidates, --reference.

    JSON: run, scan, verdict, reason, sentence, suspected_answer, forced, hosts, donors, arms (flip
    rate with interval), differences (to each control: value, interval clustered by donor or by the
    class shown, McNemar's p, Holm), base (the same on the base model or reference, differences of
    differences), necessity, not_covered, pairs_file, questions, seconds; of a language model also
    layer, margin, trials; of a CLIP also index, seed_of_trigger, form, budget, shown, pictures.
    """
    with progress_bar("transplant") as progress:
        done = test_trigger(case_folder, resume=resume, progress=progress, **given(values))
    result = done.result
    listed = {key: value for key, value in result.items() if key not in HIDDEN}
    files = {"pairs_file": str(done.folder / result["pairs_file"])}
    emit({"run": done.id, **listed, **files}, as_json, lambda: _text(done.id, result))


def _text(run_id: str, result: dict[str, Any]) -> str:
    base = result["base"] or {}
    lines = [
        f"Verdict: {result['verdict']} ({result['reason']})",
        result["sentence"],
        f"{_tested(result)} Run {run_id}, {result['seconds']} s.",
        "Flip rates:",
        *(_arm("", arm) for arm in result["arms"]),
        *(_arm(f"{base.get('title', 'base model')}: ", arm) for arm in base.get("arms", ())),
        "Differences to the controls:",
        *map(_difference, result["differences"]),
    ]
    if result["necessity"]:
        lines.append(_necessity(result["necessity"]))
    covered = "; ".join(result["not_covered"])
    return "\n".join([*lines, f"Not covered: {covered}."])


def _tested(result: dict[str, Any]) -> str:
    if "form" in result:
        return (
            f"Trigger of {result['suspected_answer']!r} ({result['form']}, reconstruction) on "
            f"{result['hosts']} of {result['candidates']} pictures of {result['pictures']}."
        )
    side = result["tokens"]
    return (
        f"Patches of {len(result['donors'])} donors, {side} x {side} image tokens around the peak "
        f"of layer {result['layer']}."
    )


def _arm(prefix: str, arm: dict[str, Any]) -> str:
    contains = arm["rate_contains"]
    also = "" if contains is None else f"; contains: {percent(contains)}"
    return (
        f"  {prefix}{arm['title']}: {percent(arm['rate'])} of {arm['n']} "
        f"(95 % {percent(arm['low'])} to {percent(arm['high'])}{also})"
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

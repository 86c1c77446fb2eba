"""``forensics review``: the queue of evidence, and decisions about samples, without the app."""

from pathlib import Path
from typing import Any

import click

from forensics.cli.flags import case_flag
from forensics.cli.output import emit, json_flag

MARKS = {"keep": "kept", "flag": "FLAGGED", "unsure": "unsure", "disagreement": "DISAGREEMENT"}


@click.command()
@case_flag
@click.option("--next", "most", type=click.IntRange(0, 10_000), default=10, help="Samples to list.")
@click.option(
    "--show",
    "shown",
    type=click.Choice(
        ["suspected", "undecided", "flag", "keep", "unsure", "disagreement", "decided", "all"]
    ),
    help="Which samples. By default those that a check flags and nobody decided about.",
)
@click.option("--channel", help="Go by one check only, such as attention-entropy.")
@click.option(
    "--decide",
    "decisions",
    multiple=True,
    metavar="ID=VERDICT",
    help="Decide about a sample: keep, flag, unsure, or empty to take it back. Repeatable.",
)
@click.option("--note", help="A note for the samples of --decide.")
@click.option("--undo", is_flag=True, help="Take back your latest decision first.")
@click.option("--by", help="Reviewer. By default your account.")
@click.option("--blind", is_flag=True, help="Neither show nor count what others decided.")
@json_flag
def review(
    case_folder: Path,
    most: int,
    shown: str | None,
    channel: str | None,
    decisions: tuple[str, ...],
    note: str | None,
    undo: bool,
    by: str | None,
    blind: bool,
    as_json: bool,
) -> None:
    """List what to look at next, and decide about samples.

    The queue is made of all finished runs: samples that more checks flag come first. Decisions are
    appended to the case's journal with the cuts they went by; all of one call are one step of
    --undo. `forensics export ids --by decisions` writes what people kept.

    JSON: by, decided, undone, counts (samples by what holds; suspected and suspected_decided),
    channels (key, run, verdict, cut, flagged), total (samples of the filter), queue (row, id,
    verdict, flags, strength, reason, neighbours), summary (sentence, agreement).
    """
    from forensics.api.cases import open_case
    from forensics.api.reviewing import review_case

    told = review_case(
        open_case(case_folder), most=most, shown=shown, channel=channel,
        decisions=_parsed(decisions), note=note, undo=undo, by=by, blind=blind,
    )  # fmt: skip
    emit(told, as_json, lambda: _text(told))


def _parsed(decisions: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in decisions:
        name, equals, verdict = text.rpartition("=")
        if not equals or not name:
            raise click.UsageError(f"--decide wants ID=VERDICT, not {text[:80]!r}.")
        found[name] = verdict
    return found


def _text(told: dict[str, Any]) -> str:
    lines = []
    if told["undone"]:
        lines.append(f"Taken back: {len(told['undone'])} decisions.")
    if told["decided"]:
        lines.append(f"{told['decided']} decided by {told['by']}.")
    lines += [told["summary"]["sentence"], *told["summary"]["agreement"]]
    counts = told["counts"]
    lines.append(
        f"Checks flag {counts['suspected']:,} samples; {counts['suspected_decided']:,} of them are "
        f"decided. {told['total']:,} to show."
    )
    lines += [f"Left out: {problem}" for problem in told["problems"]]
    for item in told["queue"]:
        mark = MARKS.get(item["verdict"])
        lines.append(f"{item['id']}{f'  [{mark}]' if mark else ''}\n  {item['reason']}")
        if item["neighbours"]:
            lines.append(f"  like the unsuspected {', '.join(item['neighbours'])}")
    return "\n".join(lines)

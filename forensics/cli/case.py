"""``forensics case new``, ``case show`` and ``case verify``."""

from pathlib import Path

import click

from forensics.api.cases import CaseFacts, new_case
from forensics.api.cases import show as describe
from forensics.case.manifest import unread_note
from forensics.cli.output import emit, json_flag
from forensics.data.records import Turns
from forensics.registry import KINDS


@click.group()
def case() -> None:
    """Make a case of your own, show what is in one, verify what it examines."""


@case.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--model",
    help="The model: folder, hf:org/name, with +adapter:, openclip:/folder, openclip:NAME/TAG; "
    "a CLIP with learnt prompts: +prompts:/file.safetensors behind it.",
)
@click.option(
    "--data",
    required=True,
    help="The data: llava:/f.json, imagefolder:/d, table:/f.csv, hf-dataset:/d[:split], "
    "hf-dataset:org/name[:split][@revision], wds:/shards-{000..010}.tar.",
)
@click.option("--base", help="The model before tuning.")
@click.option("--title", help="For people; the folder's name by default.")
@click.option(
    "--turns",
    type=click.Choice(["first", "each"]),
    default="first",
    help="Turns of a conversation that are samples: the first (default), or each.",
)
@click.option("--download", is_flag=True, help="Fetch data named by its hub id into the hub cache.")
@json_flag
def new(
    folder: Path,
    model: str | None,
    data: str,
    base: str | None,
    title: str | None,
    turns: Turns,
    download: bool,
    as_json: bool,
) -> None:
    """Make a case in FOLDER, which must be new or empty.

    With --base and without --model there is no tuned model yet: "forensics tune" makes it.

    JSON: case, n, errors, model, kind, data, base, turns, unread_rows, hashes.
    """
    if model is None and base is None:
        raise click.UsageError("Give --model, or --base to tune one.")
    made = new_case(
        folder, model=model, data=data, base=base, title=title, turns=turns, download=download
    )
    facts = describe(made)
    emit(facts.examined(), as_json, lambda: _text(facts))


@case.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_flag
def show(folder: Path, as_json: bool) -> None:
    """Show hashes, runs and verdicts of the case in FOLDER.

    JSON: case, title, n, errors, row_errors, model, kind, data, base, turns, unread_rows, hashes,
    runs, disk_use.
    """
    facts = describe(folder)
    emit(facts.to_dict(), as_json, lambda: _text(facts))


@case.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_flag
def verify(folder: Path, as_json: bool) -> None:
    """Hash model, data and pictures again, and say what changed since the case was made.

    The outcome is kept in the audit trail, and the report tells it.

    JSON: intact, sentence, files, bytes, parts, differing (a count), differences (part, path, what:
    changed, missing or added; at most 1,000).
    """
    from forensics.api.custody import verify as compare

    found = compare(folder)
    emit(found.to_json(), as_json, lambda: "\n".join(found.lines()))


def _text(facts: CaseFacts) -> str:
    lines = [
        f"{facts.title}: {facts.n} samples, {facts.errors} unusable rows",
        f"  model {facts.model} ({KINDS[facts.kind]})",
        f"  data  {facts.data}",
    ]
    if facts.unread_rows:
        lines.append(f"  {unread_note(facts.unread_rows)} Make the case with --turns each.")
    lines += [f"  {row.source}:{row.line}: {row.reason}" for row in facts.row_errors[:10]]
    for run in facts.runs:
        said = run.said.get("verdict") or "ranks only"
        verdict = f", {said}, {run.said['flagged']} flagged" if "verdict" in run.said else ""
        lines.append(f"  run {run.run}: {run.progress}{verdict}")
    return "\n".join(lines)

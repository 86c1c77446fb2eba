"""``forensics case new``, ``case show`` and ``case verify``."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from forensics.case import Case
from forensics.case.manifest import unread_note
from forensics.cli.output import emit, json_flag
from forensics.data.records import Turns
from forensics.registry import KINDS
from forensics.runs import Run, progress_view


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
    subject = model or str(base)
    made = Case.create(
        folder, model=subject, data=data, base=base, title=title, turns=turns, download=download
    )
    emit(describe(made), as_json, lambda: _text(made))


@case.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_flag
def show(folder: Path, as_json: bool) -> None:
    """Show hashes, runs and verdicts of the case in FOLDER.

    JSON: case, title, n, errors, row_errors, model, kind, data, base, turns, unread_rows, hashes,
    runs, disk_use.
    """
    opened = Case.open(folder)
    outcome = {
        **describe(opened),
        "row_errors": [_row_error(error) for error in opened.row_errors(0, 100)],
        "runs": [_run(run) for run in opened.runs()],
        "disk_use": opened.disk_use(),
    }
    emit(outcome, as_json, lambda: _text(opened))


@case.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_flag
def verify(folder: Path, as_json: bool) -> None:
    """Hash model, data and pictures again, and say what changed since the case was made.

    The outcome is kept in the audit trail, and the report tells it.

    JSON: intact, sentence, files, bytes, parts, differing (a count), differences (part, path, what:
    changed, missing or added; at most 1,000).
    """
    from forensics.case.custody import verify as compare

    opened = Case.open(folder)
    found = compare(opened)
    opened.journal.record("verify", **found.audit())
    emit(found.to_json(), as_json, lambda: "\n".join(found.lines()))


def describe(opened: Case) -> dict[str, Any]:
    """Say what a case examines."""
    manifest = opened.manifest
    return {
        "case": str(opened.folder),
        "title": manifest.title,
        "n": len(opened.catalog),
        "errors": manifest.errors,
        "model": manifest.model,
        "kind": manifest.kind,
        "data": manifest.data,
        "base": manifest.base,
        "turns": manifest.turns,
        "unread_rows": manifest.unread_rows,
        "hashes": {name: asdict(found) for name, found in manifest.hashes.items()},
    }


def _row_error(error: Any) -> dict[str, Any]:
    return {"source": error.source, "line": error.line, "reason": error.reason}


def _run(run: Run) -> dict[str, Any]:
    status = run.status()
    facts = {"run": run.id, "method": run.method, "state": str(status.state)}
    result = run.result() if status.state == "finished" else {}
    kept = ("verdict", "reason", "flagged", "n")
    return {**facts, **{key: result[key] for key in kept if key in result}}


def _text(opened: Case) -> str:
    manifest = opened.manifest
    lines = [
        f"{manifest.title}: {len(opened.catalog)} samples, {manifest.errors} unusable rows",
        f"  model {manifest.model} ({KINDS[manifest.kind]})",
        f"  data  {manifest.data}",
    ]
    if manifest.unread_rows:
        lines.append(f"  {unread_note(manifest.unread_rows)} Make the case with --turns each.")
    lines += [
        f"  {error.source}:{error.line}: {error.reason}" for error in opened.row_errors(0, 10)
    ]
    for run in opened.runs():
        facts = _run(run)
        said = facts.get("verdict") or "ranks only"
        verdict = f", {said}, {facts['flagged']} flagged" if "verdict" in facts else ""
        lines.append(f"  run {run.id}: {progress_view(run.status()).text}{verdict}")
    return "\n".join(lines)

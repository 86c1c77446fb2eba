"""``forensics export ids``, ``export dataset``, ``export checkpoint`` and ``export report``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click

from forensics.api import exports
from forensics.cli.flags import case_flag, run_flag
from forensics.cli.output import emit, json_flag

overwrite_flag = click.option("--overwrite", is_flag=True, help="Replace what is there.")
force_flag = click.option(
    "--use-flags",
    is_flag=True,
    help="Remove flagged samples although the verdict is not 'suspicious'.",
)
by_flag = click.option(
    "--by",
    type=click.Choice(["scan", "decisions"]),
    default="scan",
    help="Whose flags count: a scan's, or what people decided in the review.",
)
unsure_flag = click.option(
    "--unsure",
    type=click.Choice(["keep", "drop"]),
    default="keep",
    help="With --by decisions: what becomes of samples that people are unsure or disagree about.",
)


@click.group()
def export() -> None:
    """Write ids, a cleaned data set, a repaired model or a report.

    The user's own files are never changed.
    """


@export.command()
@case_flag
@run_flag
@click.option("--to", required=True, type=click.Path(path_type=Path), help=".csv, .jsonl, .parquet")
@click.option("--which", type=click.Choice(["kept", "flagged", "all"]), default="kept")
@force_flag
@by_flag
@unsure_flag
@overwrite_flag
@json_flag
def ids(
    case_folder: Path,
    run_id: str | None,
    to: Path,
    which: Literal["kept", "flagged", "all"],
    use_flags: bool,
    by: exports.By,
    unsure: exports.Unsure,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the ids of kept, flagged or all samples.

    JSON: path, which, written, kept, flagged, verdict, note; by decisions also people, unsure,
    unsure_removed and decided_note, and no verdict.
    """
    outcome = exports.export_ids(
        case_folder, to, run=run_id, which=which, use_flags=use_flags, by=by, unsure=unsure,
        overwrite=overwrite,
    ).facts  # fmt: skip
    emit(
        outcome,
        as_json,
        lambda: f"{outcome['written']} ids ({which}) in {to}. {_notes(outcome)}".rstrip(),
    )


@export.command()
@case_flag
@run_flag
@click.option("--to", required=True, type=click.Path(path_type=Path), help="New file or folder.")
@click.option("--images", type=click.Choice(["copy", "none"]), default="copy")
@force_flag
@by_flag
@unsure_flag
@overwrite_flag
@json_flag
def dataset(
    case_folder: Path,
    run_id: str | None,
    to: Path,
    images: Literal["copy", "none"],
    use_flags: bool,
    by: exports.By,
    unsure: exports.Unsure,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the data set without the flagged samples, in its own format.

    JSON: path, kept, removed, verdict, note; by decisions also people, flagged, unsure,
    unsure_removed and decided_note, and no verdict.
    """
    outcome = exports.export_dataset(
        case_folder, to, run=run_id, images=images, use_flags=use_flags, by=by, unsure=unsure,
        overwrite=overwrite,
    ).facts  # fmt: skip
    emit(
        outcome,
        as_json,
        lambda: (
            f"{outcome['kept']} samples kept, {outcome['removed']} removed: {to}. "
            f"{_notes(outcome)}".rstrip()
        ),
    )


@export.command()
@case_flag
@run_flag
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path),
    help="New file, .safetensors; a folder for an adapter or a whole model.",
)
@overwrite_flag
@json_flag
def checkpoint(
    case_folder: Path, run_id: str | None, to: Path, overwrite: bool, as_json: bool
) -> None:
    """Write what a repair made, and beside it where it comes from.

    Learnt prompts open as MODEL+prompts:FILE, visual prompts with the loader that is written beside
    them; FILE.provenance.json holds hashes, options, versions and what was measured. A repair of
    all weights is a folder that open_clip or transformers opens, and an adapter of a language model
    one that peft opens on its base; both with provenance.json inside.

    JSON: run, method, path, provenance, sha256 (of a folder: of each file); loader of visual
    prompts.
    """
    outcome = exports.export_checkpoint(case_folder, to, run=run_id, overwrite=overwrite).facts
    emit(
        outcome,
        as_json,
        lambda: (
            f"The repair of run {outcome['run']} in {to}, its origin in {outcome['provenance']}."
        ),
    )


@export.command()
@case_flag
@click.option("--to", required=True, type=click.Path(path_type=Path), help="New file, .html.")
@click.option(
    "--reveal", is_flag=True, help="Read ground truth: planted trigger, precision and recall."
)
@overwrite_flag
@json_flag
def report(case_folder: Path, to: Path, reveal: bool, overwrite: bool, as_json: bool) -> None:
    """Write what the finished runs say as one HTML page, and as JSON beside it.

    The page opens from disk, fetches nothing and prints; no model is opened for it. Without
    --reveal, ground truth is not read.

    JSON: path, json, bytes, verdict, headline, runs, revealed.
    """
    outcome = exports.export_report(case_folder, to, reveal=reveal, overwrite=overwrite).facts
    emit(
        outcome,
        as_json,
        lambda: f"{outcome['headline']}. The report of {outcome['runs']} runs: {to}",
    )


def _notes(outcome: Mapping[str, Any]) -> str:
    """Say what became of unsure samples, and that rows may be whole conversations."""
    return " ".join(str(outcome[key]) for key in ("decided_note", "note") if key in outcome)

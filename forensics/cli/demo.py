"""``forensics demo``: the shipped cases."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from forensics.api.cases import show
from forensics.cli.output import emit, json_flag
from forensics.errors import InputError

_FIRST = {"multimodal-llm": "bye", "clip": "clusters"}


@click.command()
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="List the demos.")
@click.option("--case", "case_folder", type=click.Path(path_type=Path), help="New case folder.")
@json_flag
def demo(name: str | None, listing: bool, case_folder: Path | None, as_json: bool) -> None:
    """Open the demo NAME as a case in the folder given by --case, or list the demos.

    A demo is a toy model, built so that the signal can be seen.

    JSON of --list: demos [name, title, story, samples, shipped, measured]; else as "case new".
    """
    from forensics.api import demos

    if listing or name is None:
        listed = [asdict(entry) for entry in demos.demos()]
        emit({"demos": listed}, as_json, lambda: "\n\n".join(map(_line, listed)))
        return
    if case_folder is None:
        raise InputError("Where should the case go?", remedy=f"forensics demo {name} --case DIR")
    made = demos.demo(name, case_folder)
    emit(
        show(made).examined(),
        as_json,
        lambda: (
            f"{made.manifest.title}: {len(made.catalog)} samples in {made.folder}.\n"
            f"Next: forensics scan {_FIRST[made.manifest.kind]} --case {made.folder}, "
            f"or forensics app --case {made.folder}"
        ),
    )


def _line(entry: dict[str, Any]) -> str:
    missing = "" if entry["shipped"] else " (weights not installed)"
    head = f"{entry['name']}: {entry['title']}, {entry['samples']} samples{missing}"
    return f"{head}\n  {entry['story']}"

"""What a run chose when it began, such as the scan that was the latest then: it keeps to it.

A run that was stopped goes on with files of its first attempt. Were the latest scan asked for
again, they could be about another one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from forensics.runs.durable import read_json, write_json

CHOICES: Final = "choices.json"
Chosen = TypeVar("Chosen")


def keep_choice(folder: Path, name: str, choose: Callable[[], Chosen]) -> Chosen:
    """Return what a run chose under a name; choose, and keep it, where it did not yet.

    Args:
        folder: Of the run.
        name: What is chosen.
        choose: Chooses it: a value that JSON holds. What it raises is chosen anew next time.

    Raises:
        CaseError: The file of the choices is damaged.
    """
    kept = choices(folder)
    if name not in kept:
        kept[name] = choose()
        write_json(folder / CHOICES, kept)
    chosen: Chosen = kept[name]
    return chosen


def choices(folder: Path) -> dict[str, Any]:
    """Return everything that a run chose so far."""
    path = folder / CHOICES
    return read_json(path) if path.is_file() else {}

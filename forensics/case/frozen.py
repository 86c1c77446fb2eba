"""What people had decided when a run began, in a file of the run: workers open no journal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from forensics.case.deciding import now
from forensics.case.journal import Journal
from forensics.case.standing import EFFECTIVE, standing
from forensics.errors import CaseError
from forensics.runs.durable import read_json

FROZEN: Final = "decisions.json"
OPTION: Final = "flags"  # of every method that can go by decisions
SCAN, DECISIONS, BOTH = "scan", "decisions", "both"


def frozen_files(journal: Journal, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files that a new run with these options begins with: name -> content."""
    if options.get(OPTION) not in (DECISIONS, BOTH):
        return {}
    held = standing(journal.decisions_after(0))
    content = {"at": now(), "people": held.people(), "verdicts": held.verdicts()}
    return {FROZEN: json.dumps(content, ensure_ascii=False).encode()}


def read_frozen(folder: Path) -> dict[str, str]:
    """Return sample -> what held when a run began: keep, flag, unsure or disagreement.

    Args:
        folder: Of the run.

    Raises:
        CaseError: The run was made without decisions, or the file is damaged.
    """
    if not (folder / FROZEN).is_file():
        raise CaseError(
            f"Run {folder.name} was made without the decisions of people.",
            remedy="Start a new run.",
        )
    found = read_json(folder / FROZEN).get("verdicts")
    if not isinstance(found, dict) or not set(found.values()) <= set(EFFECTIVE):
        raise CaseError(f"{FROZEN} of {folder.name} is damaged.", remedy="Start a new run.")
    return {str(name): str(verdict) for name, verdict in found.items()}

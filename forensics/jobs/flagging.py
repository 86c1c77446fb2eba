"""The scan whose flags a job goes by: a named one, or the latest that flagged any sample."""

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.flag_files import SCORES
from forensics.jobs.flag_tables import flagged_rows, scored_rows
from forensics.registry import methods
from forensics.runs import Run, State

Rows = NDArray[np.int64]


def split_by_scan(case: Case, run_id: str | None) -> tuple[Run, Rows, Rows]:
    """Return a scan, the rows that it flagged and those that it read and did not, ascending.

    Args:
        case: The case.
        run_id: The scan; the latest finished one that flagged any by default.

    Raises:
        CaseError: There is none, or its table cannot be read.
    """
    run = case.run(run_id or latest_flags(case))
    if not run.path(SCORES).is_file():
        raise CaseError(f"Run {run.id} has no table of flags.", remedy="Name a finished scan.")
    flagged = flagged_rows(run, len(case.catalog))
    return run, flagged, np.setdiff1d(scored_rows(run), flagged)


def latest_flags(case: Case) -> str:
    """Return the id of the latest finished scan that flagged a sample.

    Raises:
        CaseError: There is none.
    """
    found = newest_flags(case)
    if found is None:
        raise CaseError(
            "No finished scan of this case flagged a sample.",
            remedy="Scan the case first, or name a scan with --run.",
        )
    return found


def newest_flags(case: Case) -> str | None:
    """Return the id of the latest finished scan that flagged a sample, or ``None``.

    Raises:
        CaseError: A scan's table cannot be read.
    """
    scans = {spec.name for spec in methods().values() if spec.kind == "scan"}
    for run in case.runs():
        if run.method not in scans or run.status().state is not State.FINISHED:
            continue
        if run.path(SCORES).is_file() and flagged_rows(run, len(case.catalog)).size:
            return run.id
    return None

"""Candidates against controls for the inspector's strips: what a masked-views run found so far."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.masked_views.result import TABLE
from forensics.runs import Run, State
from forensics.runs.plain import plain

METHOD = "masked-views"
SHOWN = ("agreement", "spread")


def find_diagnostic(case: Case, scan: str) -> Run | None:
    """Return the latest run about the candidates of a scan; ``None`` where there is none."""
    return next((run for run in case.runs(METHOD) if _about(run) == scan), None)


def _about(run: Run) -> str | None:
    if run.status().state is State.FINISHED:
        return str(run.result().get("candidates_from"))
    named = run.options.get("run")
    return None if named is None else str(named)


def diagnostic_view(run: Run | None) -> dict[str, Any]:
    """Return where the run stands and, once it is finished, what it measured.

    ``samples`` holds id, agreement and spread of every sample that could be read;
    ``comparisons`` the AUC that candidates have the larger value, with its interval.
    """
    if run is None:
        return {"state": None}
    status = run.status()
    view: dict[str, Any] = {
        "run": run.id,
        "state": status.state,
        "done": status.done,
        "total": status.total,
        "error": status.error,
    }
    if status.state is State.FINISHED:
        view |= _finished(run)
    shown: dict[str, Any] = plain(view)
    return shown


def _finished(run: Run) -> dict[str, Any]:
    result = run.result()
    try:
        table = pq.read_table(run.path(TABLE), columns=["row", "id", "candidate", *SHOWN])
    except (OSError, pa.ArrowException) as error:
        raise CaseError(f"The table of {run.id} is gone.", remedy="Compare again.") from error
    samples = [row for row in table.to_pylist() if row["agreement"] == row["agreement"]]
    own = {c.get("measure"): c for c in result.get("comparisons", ()) if not c.get("against_base")}
    return {
        "samples": samples,
        "views": result.get("views"),
        "comparisons": {
            name: {"auc": own[name].get("auc"), "interval": own[name].get("interval")}
            for name in SHOWN
            if name in own
        },
    }

"""Arrays of an earlier attention scan that another method may decide from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.options.scan import DecisionOptions
from forensics.jobs.attention.arrays import ARRAYS, arrays_to_dict
from forensics.runs import Run, RunContext, State
from forensics.worker.models import ModelCache

if TYPE_CHECKING:
    from forensics.jobs.attention.scan import MeasuredCase


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSource:
    """Arrays of an attention scan, and where they come from.

    Attributes:
        run: Id of the run whose folder holds the arrays.
        arrays: ``rows [n]`` (catalogue rows) and what was asked for, by name; NaN for samples that
            could not be scanned.
        failures: Catalogue row and reason of samples that could not be scanned; an earlier run
            names the first hundred.
        measured: What this run measured itself, still to be saved; ``None`` where an earlier scan
            served.
    """

    run: str
    arrays: Mapping[str, NDArray[Any]]
    failures: list[dict[str, Any]]
    measured: "MeasuredCase | None"

    @property
    def rows(self) -> NDArray[np.int64]:
        """Catalogue rows ``[n]``."""
        return np.asarray(self.arrays["rows"], dtype=np.int64)


def scan_arrays(
    case: Case,
    context: RunContext,
    models: ModelCache,
    options: DecisionOptions,
    rows: NDArray[np.int64],
    names: Sequence[str],
) -> ScanSource:
    """Take the arrays of the latest scan that serves, or scan first where there is none.

    No model is loaded where a scan is at hand that covers the samples asked for.

    Args:
        case: The case.
        context: Of the run; a scan's shards are kept in it.
        models: Where the model comes from, if it is needed.
        options: Whether to measure anew, and how.
        rows: ``[n]`` catalogue rows that are wanted, ascending.
        names: Arrays that are wanted.

    Raises:
        CaseError: The arrays of such a scan are damaged.
        JobFailed: No sample could be scanned.
        Cancelled: The user asked to stop; finished shards stay.
    """
    begun = bool(context.finished_shards())  # a stopped scan of our own goes on
    earlier = None if options.rescan or begun else earlier_arrays(case, rows, names)
    if earlier is not None:
        run, arrays = earlier
        wanted = set(rows.tolist())
        failures = [one for one in run.result().get("failures", []) if one["row"] in wanted]
        return ScanSource(run=run.id, arrays=arrays, failures=failures, measured=None)
    from forensics.jobs.attention.scan import measure_case  # torch: the app reads this module

    measured = measure_case(case, context, models, options)
    return ScanSource(
        run=context.folder.name,
        arrays=arrays_to_dict(measured.arrays),
        failures=[{"row": row, "reason": reason} for row, reason in measured.failed],
        measured=measured,
    )


def earlier_arrays(
    case: Case, rows: NDArray[np.int64], names: Sequence[str]
) -> tuple[Run, dict[str, NDArray[Any]]] | None:
    """Find the latest finished scan of the model under suspicion that has what is wanted.

    Args:
        case: The case.
        rows: ``[n]`` catalogue rows that are wanted, ascending.
        names: Arrays that are wanted; ``rows`` comes with them.

    Returns:
        The run and its arrays for those rows, or ``None`` where no scan has them all.

    Raises:
        CaseError: The arrays of such a scan are damaged.
    """
    for run in case.runs():
        if run.status().state is not State.FINISHED or not run.path(ARRAYS).is_file():
            continue
        if not _still_valid(case, run):
            return None  # older scans are of the same older model
        arrays = run.arrays(ARRAYS)
        place = np.searchsorted(arrays["rows"], rows)
        inside = place < len(arrays["rows"])
        covered = inside.all() and (arrays["rows"][place] == rows).all()
        if covered and all(name in arrays for name in names):
            return run, {"rows": rows} | {name: arrays[name][place] for name in names}
    return None


def _still_valid(case: Case, scan: Run) -> bool:
    """Tell whether a scan is of the model that would be scanned now.

    The model of a case never changes, but where only a base was given it is what the latest
    ``tune`` run made.
    """
    if case.manifest.model != case.manifest.base:
        return True
    tuned = [run for run in case.runs("tune") if run.status().state is State.FINISHED]
    return not tuned or tuned[0].created < scan.created

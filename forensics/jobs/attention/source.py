"""Arrays of an earlier attention scan that another method may decide from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.jobs.attention.arrays import ARRAYS
from forensics.runs import Run, State


@dataclass(frozen=True, slots=True, kw_only=True)
class MassSource:
    """Attention masses, and where they come from.

    Attributes:
        run: Id of the run whose folder holds the arrays.
        rows: ``[n]`` catalogue rows.
        masses: ``[n, layer, head, 3]`` float16; NaN for samples that could not be scanned.
        tokens: ``[n]`` image tokens.
        failures: Catalogue row and reason of samples that could not be scanned, the first hundred.
    """

    run: str
    rows: NDArray[np.int64]
    masses: NDArray[np.float16]
    tokens: NDArray[np.int32]
    failures: list[dict[str, Any]]


def earlier_masses(case: Case, rows: NDArray[np.int64]) -> MassSource | None:
    """Find the latest finished scan of the model under suspicion that covers some samples.

    Args:
        case: The case.
        rows: ``[n]`` catalogue rows that are wanted, ascending.

    Returns:
        The masses of those rows, or ``None`` where no scan has them all.

    Raises:
        CaseError: The arrays of such a scan are damaged.
    """
    found = earlier_arrays(case, rows, ("masses", "tokens"))
    if found is None:
        return None
    run, arrays = found
    wanted = set(rows.tolist())
    failures = [f for f in run.result().get("failures", []) if f["row"] in wanted]
    return MassSource(
        run=run.id,
        rows=rows,
        masses=arrays["masses"],
        tokens=arrays["tokens"],
        failures=failures,
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

"""Which rows of the catalogue a finished run flags, read from the table that every scan writes."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.errors import CaseError
from forensics.jobs.flag_files import SCORES
from forensics.runs import Run


def has_flags(run: Run) -> bool:
    """Tell whether a finished run flags samples at all, were it none of them."""
    return bool(run.result().get("flagged_ids_file")) and run.path(SCORES).is_file()


def scored_rows(run: Run) -> NDArray[np.int64]:
    """Return the rows that a finished run looked at.

    Raises:
        CaseError: The table is damaged.
    """
    try:
        return np.asarray(pq.read_table(run.path(SCORES), columns=["row"])["row"], dtype=np.int64)
    except (OSError, pa.ArrowException, ValueError, TypeError) as error:
        raise CaseError(
            f"The scores of {run.id} cannot be read.", remedy="Run it again."
        ) from error


def flagged_rows(run: Run, size: int) -> NDArray[np.int64]:
    """Return the flagged rows, ascending.

    Args:
        run: A finished one.
        size: Rows of the catalogue; a row beyond it means another case's table.

    Raises:
        CaseError: The table is damaged.
    """
    try:
        table = pq.read_table(run.path(SCORES), columns=["row", "flagged"])
        rows = np.asarray(table["row"], dtype=np.int64)
        flagged = np.asarray(table["flagged"], dtype=np.bool_)
    except (OSError, pa.ArrowException, ValueError, TypeError) as error:
        raise CaseError(
            f"The scores of {run.id} cannot be read.", remedy="Run it again."
        ) from error
    chosen = np.unique(rows[flagged])
    if chosen.size and not (chosen[0] >= 0 and chosen[-1] < size):
        raise CaseError(f"The scores of {run.id} are not of this case.", remedy="Run it again.")
    return chosen

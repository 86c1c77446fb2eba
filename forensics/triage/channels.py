"""A channel: what one finished run says about samples, with its cut or as a mere ranking."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.stats import rankdata

from forensics.errors import CaseError
from forensics.runs import Run

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
Values = NDArray[np.float64]
Reason = Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What one run measured of each sample that it looked at.

    Attributes:
        key: ``attention-entropy``, or ``clusters.cosine`` where a run has several.
        title: For people.
        run: Id of the run.
        verdict: Of the run; ``None`` for one that only ranks.
        rows: ``[m]`` catalogue rows.
        value: ``[m]`` the score; NaN where there is none.
        share: ``[m]`` place among all samples of the channel, 0..1, 1 = most suspicious; NaN
            without a score.
        flagged: ``[m]``; all False for a channel that only ranks.
        ranks_only: Whether it has no flags of its own.
        cut: Where it starts to flag; ``None`` where no single number decides.
        higher: Whether high scores are the suspicious ones.
        unit: Of ``value`` and ``cut``; may be empty.
        meaning: The score in a few words.
        reason: Place in ``rows`` -> what was measured, in words.
    """

    key: str
    title: str
    run: str
    verdict: str | None
    rows: Rows
    value: Values
    share: Values
    flagged: Mask
    ranks_only: bool
    cut: float | None
    higher: bool
    unit: str
    meaning: str
    reason: Reason

    @property
    def upheld(self) -> bool:
        """Whether the run as a whole calls the data suspicious."""
        return self.verdict == "suspicious"


def rank_shares(value: Values, *, higher: bool) -> Values:
    """Return the place of each value among all, 0..1, 1 = most suspicious; ties share a place."""
    share: Values = np.full(value.size, np.nan)
    known = np.isfinite(value)
    if known.any():
        ranks = rankdata(value[known] if higher else -value[known])
        share[known] = (ranks - 0.5) / ranks.size
    return share


def read_table(run: Run, name: str, size: int, columns: list[str] | None = None) -> Any:
    """Read a table of a run that has a column ``row``.

    Args:
        run: A finished one.
        name: Of the file.
        size: Rows of the catalogue.
        columns: Those to read; all by default.

    Raises:
        CaseError: It is damaged, or of another case.
    """
    try:
        table = pq.read_table(run.path(name), columns=columns)
        rows = np.asarray(table["row"], dtype=np.int64)
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise CaseError(
            f"The table {name} of {run.id} cannot be read.", remedy="Run it again."
        ) from error
    if rows.size and not (rows.min() >= 0 and rows.max() < size):
        raise CaseError(
            f"The table {name} of {run.id} is not of this case.", remedy="Run it again."
        )
    if np.unique(rows).size != rows.size:
        raise CaseError(f"The table {name} of {run.id} names rows twice.", remedy="Run it again.")
    return table


def numbers(table: Any, name: str) -> Values:
    """Return a column as float64; nulls become NaN."""
    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)

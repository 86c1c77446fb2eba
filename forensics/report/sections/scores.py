"""The table of scores that every scan with flags leaves, and its histogram."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.errors import CaseError
from forensics.jobs.flag_files import SCORES
from forensics.report.blocks import Component, Histogram
from forensics.report.reading import number, rows_of, table_of
from forensics.report.sections.context import Source
from forensics.statistics.histogram import stacked_histogram

BINS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Rows of the catalogue with the score and the decision of a run.

    Attributes:
        rows: ``[n]`` catalogue rows.
        scores: ``[n]`` score of the deciding mode; NaN where there is none.
        flagged: ``[n]``.
        reasons: ``[n]`` why, where the run wrote it down; else ``None``.
        higher: Whether high scores are the suspicious ones.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    reasons: list[str] | None
    higher: bool

    @property
    def order(self) -> NDArray[np.int64]:
        """Places of the flagged samples, the most suspicious first, ties in catalogue order."""
        places = np.flatnonzero(self.flagged)
        signed = -self.scores[places] if self.higher else self.scores[places]
        return places[np.argsort(signed, kind="stable")]


def read_scores(source: Source) -> Scores | None:
    """Return the scores of a run; ``None`` if it flags nothing by its nature.

    Raises:
        CaseError: The table is damaged, or of another case.
    """
    if not source.result.get("flagged_ids_file") or not source.run.path(SCORES).is_file():
        return None
    try:
        table = pq.read_table(source.run.path(SCORES))
        name = f"score_{source.result.get('mode')}"
        found = Scores(
            rows=np.asarray(table["row"], dtype=np.int64),
            scores=_scores(table, name),
            flagged=np.asarray(table["flagged"], dtype=np.bool_),
            reasons=table["reason"].to_pylist() if "reason" in table.column_names else None,
            higher=source.result.get("suspicious_side") == "high",
        )
    except (OSError, KeyError, pa.ArrowException, ValueError, TypeError) as error:
        raise CaseError(f"The scores of {source.run.id} cannot be read.") from error
    if found.rows.size and not 0 <= found.rows.min() <= found.rows.max() < len(source.case.catalog):
        raise CaseError(f"The scores of {source.run.id} are not of this case.")
    return found


def _scores(table: Any, name: str) -> NDArray[np.float64]:
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    return np.asarray(table[name].to_numpy(), dtype=np.float64)


def score_histogram(
    values: NDArray[np.float64], flagged: NDArray[np.bool_], *, key: str, title: str, unit: str,
    cut: Any = None, components: tuple[Component, ...] = (), note: str = "",
) -> Histogram | None:  # fmt: skip
    """Return the histogram of a score; ``None`` where no sample has one."""
    found = stacked_histogram(values, flagged, BINS)
    if not found["edges"]:
        return None
    return Histogram(
        key=key, title=title, unit=unit, edges=tuple(found["edges"]),
        flagged=tuple(found["flagged"]), kept=tuple(found["kept"]), cut=number(cut),
        components=components, note=note,
    )  # fmt: skip


def mixture_of(told: Any) -> tuple[Component, ...]:
    """Return the components of a fitted mixture; none where it is not whole."""
    found = table_of(told)
    parts = list(zip(*(found.get(name) or () for name in ("weights", "means", "sigmas")),
                     strict=False))  # fmt: skip
    numbers = [[number(value) for value in part] for part in parts]
    if any(None in part for part in numbers):
        return ()
    return tuple(Component(weight=w or 0.0, mean=m or 0.0, sd=s or 0.0) for w, m, s in numbers)


def first_failures(result: dict[str, Any], shown: int = 5) -> str:
    """Say which samples could not be read, a few by their row; empty if all could."""
    failed = rows_of(result.get("failures"))
    if not failed:
        return ""
    listed = "; ".join(f"row {one.get('row')}: {one.get('reason')}" for one in failed[:shown])
    return f"{len(failed):,} samples could not be read ({listed})."

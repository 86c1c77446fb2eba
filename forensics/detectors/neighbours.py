"""Exact nearest neighbours, block by block: bounded memory, same result at every run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ROWS: Final = 1024
COLUMNS: Final = 8192
_SPARE: Final = 8  # candidates beyond k: rounding must not push a true neighbour out

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The nearest other samples of each sample.

    Attributes:
        index: ``[n, k]`` int32, nearest first; a sample is never its own neighbour.
        distance: ``[n, k]`` float32, Euclidean, ascending.
    """

    index: NDArray[np.int32]
    distance: NDArray[np.float32]

    @property
    def k(self) -> int:
        """Neighbours of each sample."""
        return int(self.index.shape[1])


def find_neighbours(
    features: NDArray[Any], k: int, *, report: Report | None = None
) -> Neighbours:  # fmt: skip
    """Find the k nearest other samples of each sample by Euclidean distance.

    Time is O(n² d), as matrix products; memory is the features in float32 and two blocks of about
    35 MB, whatever n is. Ties go to the lower index.

    Args:
        features: ``[n, d]``, finite.
        k: Neighbours wanted; fewer are returned where there are fewer other samples.
        report: Told rows done and rows in all.
    """
    values = np.ascontiguousarray(features, dtype=np.float32)
    # |a - b|² is computed as |a|² + |b|² - 2ab, which cancels badly far from the origin.
    count = len(values)
    if count:
        values = values - values.mean(axis=0, dtype=np.float64).astype(np.float32)
    k = max(0, min(k, count - 1))
    index = np.empty((count, k), dtype=np.int32)
    distance = np.empty((count, k), dtype=np.float32)
    squares = np.einsum("ij,ij->i", values, values)
    for start in range(0, count if k else 0, ROWS):
        rows = slice(start, min(start + ROWS, count))
        candidates = _candidates(values, squares, rows, min(k + _SPARE, count - 1))
        index[rows], distance[rows] = _nearest(values, rows, candidates, k)
        if report is not None:
            report(rows.stop, count)
    return Neighbours(index=index, distance=distance)


def _candidates(
    values: NDArray[np.float32], squares: NDArray[np.float32], rows: slice, wanted: int
) -> NDArray[np.int64]:
    """Return the likely nearest samples of a block of rows, ``[rows, wanted]``, in no order."""
    here = np.arange(rows.start, rows.stop)
    near, places = [], []
    for start in range(0, len(values), COLUMNS):
        stop = min(start + COLUMNS, len(values))
        gaps = squares[start:stop] - 2.0 * (values[rows] @ values[start:stop].T)
        own = (here >= start) & (here < stop)
        gaps[np.flatnonzero(own), here[own] - start] = np.inf
        kept = min(wanted, stop - start)
        chosen = np.argpartition(gaps, kept - 1, axis=1)[:, :kept]
        near.append(np.take_along_axis(gaps, chosen, axis=1))
        places.append(chosen + start)
    gaps, found = np.concatenate(near, axis=1), np.concatenate(places, axis=1)
    best = np.argpartition(gaps, wanted - 1, axis=1)[:, :wanted]
    return np.asarray(np.take_along_axis(found, best, axis=1))


def _nearest(
    values: NDArray[np.float32], rows: slice, candidates: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Measure candidates exactly and keep the k nearest, in order."""
    candidates = np.sort(candidates, axis=1)  # so that a stable sort gives ties to the lower index
    exact = np.empty(candidates.shape, dtype=np.float32)
    for column in range(candidates.shape[1]):
        gap = values[candidates[:, column]] - values[rows]
        exact[:, column] = np.sqrt(np.einsum("ij,ij->i", gap, gap))
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    index = np.take_along_axis(candidates, order, axis=1).astype(np.int32)
    return index, np.take_along_axis(exact, order, axis=1)

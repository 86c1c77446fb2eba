"""The best split of sorted values into K groups of neighbours: exact k-means in one dimension."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Finest resolution of a border between two groups, as a number of cells with equal counts.
_CELLS: Final = 192


def best_groups(values: Array, counts: Array, most: int) -> list[NDArray[np.int64]]:
    """Split values so that the squares about the groups' means are least, for 1..most groups.

    Long columns are first put into cells of equal counts, whose borders alone may part groups.

    Args:
        values: ``[v]`` ascending.
        counts: ``[v]`` how often each occurs.
        most: Largest number of groups.

    Returns:
        For each K from 1 (as far as there are K values) the ends of the groups, ``[K]`` indices
        into ``values``, the last one being ``v``.

    Source: dynamic programming as in Wang and Song 2011 (Ckmeans.1d.dp).
    """
    ends = _cells(counts)
    cost = _costs(values, counts, ends)
    cells = ends.size
    least, came_from = cost[0], [np.zeros(cells, dtype=np.int64)]
    for _ in range(1, min(most, cells)):
        # Last group = cells j..i, those before it split best into one group fewer.
        whole = least[:-1, None] + cost[1:]
        came_from.append(whole.argmin(axis=0) + 1)
        least = whole.min(axis=0)
    return [_trace(came_from[:k], ends) for k in range(1, len(came_from) + 1)]


def _cells(counts: Array) -> NDArray[np.int64]:
    """Return where each cell ends, as indices into the values; at most ``_CELLS`` of them."""
    if counts.size <= _CELLS:
        return np.arange(1, counts.size + 1)
    running = np.cumsum(counts)
    wanted = running[-1] * np.arange(1, _CELLS + 1) / _CELLS
    ends = np.unique(np.searchsorted(running, wanted - 1e-9) + 1)
    return np.asarray(np.minimum(ends, counts.size), dtype=np.int64)


def _costs(values: Array, counts: Array, ends: NDArray[np.int64]) -> Array:
    """Return the squares about the mean of cells j..i at ``[j, i]``; infinite where j > i."""
    centred = values - np.average(values, weights=counts)
    sums = [np.concatenate([[0.0], np.cumsum(counts * centred**power)]) for power in range(3)]
    stop = np.concatenate([[0], ends])
    n, first, second = (s[stop[None, 1:]] - s[stop[:-1, None]] for s in sums)
    below = np.tri(ends.size, k=-1, dtype=np.bool_)
    spread = np.maximum(second - first**2 / np.where(below, 1.0, n), 0.0)
    return np.where(below, np.inf, spread)


def _trace(came_from: list[NDArray[np.int64]], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    last = ends.size - 1
    borders = [int(ends[last])]
    for step in reversed(came_from[1:]):
        last = int(step[last]) - 1
        borders.append(int(ends[last]))
    return np.array(borders[::-1], dtype=np.int64)

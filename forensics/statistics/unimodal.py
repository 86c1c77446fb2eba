"""The one-humped distribution nearest to a column, and columns drawn from it, counted."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FEWEST_CELLS, _MOST_CELLS, _PER_CELL = 16, 256, 8


def nearest_unimodal(values: Array, counts: Array) -> Array:
    """Return the histogram with one hump that is nearest to a column's in least squares.

    It rises to one cell and falls after it. A second hump becomes a plateau that reaches back to
    the first, a long tail stays a long tail: what is lost is only that there were two humps.

    Args:
        values: ``[v]`` within 0..1, ascending.
        counts: ``[v]`` how often each occurs.

    Returns:
        ``[cells]`` probabilities of equal cells over 0..1.

    Source: pooling of adjacent violators (Ayer et al. 1955) on either side of each possible top.
    """
    total = float(counts.sum())
    cells = int(np.clip(total // _PER_CELL, _FEWEST_CELLS, _MOST_CELLS))
    histogram = np.histogram(values, bins=cells, range=(0.0, 1.0), weights=counts)[0]
    rising, left = _pool(histogram)
    falling, right = _pool(histogram[::-1])
    # Cells before the top rise, the others fall; the loss of both parts is known for every top.
    loss = np.append(0.0, left)[: cells + 1] + np.append(right[::-1], 0.0)
    top = int(np.argmin(loss))
    shape = np.concatenate([rising(top), falling(cells - top)[::-1]])
    return np.asarray(shape / shape.sum())


def draw_counts(
    shape: Array, points: int, samples: int, columns: int, random: np.random.Generator
) -> Array:
    """Draw columns from a histogram, counted on a grid of equally far points over 0..1.

    Args:
        shape: ``[cells]`` probabilities; even within a cell.
        points: Of the grid, in the middle of ``points`` equal cells.
        samples: Values in a column.
        columns: How many.
        random: Source of chance.

    Returns:
        ``[columns, points]`` how often each point occurs; rows sum to ``samples``.
    """
    edges = np.interp(
        np.linspace(0.0, 1.0, points + 1),
        np.linspace(0.0, 1.0, shape.size + 1),
        np.concatenate([[0.0], np.cumsum(shape)]),
    )
    share = np.diff(edges)
    drawn = random.multinomial(samples, share / share.sum(), size=columns)
    return np.asarray(drawn, dtype=np.float64)


class _Pools:
    """Pooled blocks of every prefix, kept as the history of a stack."""

    def __init__(self, before: list[int], mean: list[float]) -> None:
        self._before, self._mean = before, mean

    def __call__(self, length: int) -> Array:
        """Return the nearest rising sequence to the first ``length`` numbers."""
        fitted = np.empty(length)
        while length:
            begin = self._before[length - 1]
            fitted[begin:length] = self._mean[length - 1]
            length = begin
        return fitted


def _pool(numbers: Array) -> tuple[_Pools, Array]:
    """Fit rising sequences to all prefixes; return them and the squares each loses.

    The last block of a prefix, and where the blocks before it end, never change later: block ends
    form a tree, so that all prefixes are stored in one pass.
    """
    prefix = np.concatenate([[0.0], np.cumsum(numbers)])
    squares = np.concatenate([[0.0], np.cumsum(numbers**2)])
    before: list[int] = []
    mean: list[float] = []
    lost = np.zeros(numbers.size)
    for end in range(1, numbers.size + 1):
        begin = end - 1
        while begin and mean[begin - 1] >= (prefix[end] - prefix[begin]) / (end - begin):
            begin = before[begin - 1]
        average = float((prefix[end] - prefix[begin]) / (end - begin))
        before.append(begin)
        mean.append(average)
        own = squares[end] - squares[begin] - (end - begin) * average**2
        lost[end - 1] = own + (lost[begin - 1] if begin else 0.0)
    return _Pools(before, mean), lost

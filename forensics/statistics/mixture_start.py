"""Where the mixtures begin: the best split in two, or a small group in the low tail."""

from typing import Final

import numpy as np

from forensics.statistics.mixture import VARIANCE_FLOOR, Array, Start

# bye.md, "Low-tail initialisation": 2 % of the samples, around the 0.5 % quantile.
LOW_TAIL_WEIGHT: Final = 0.02
LOW_TAIL_QUANTILE: Final = 0.005


def two_means_start(columns: Array, variance_floor: float = VARIANCE_FLOOR) -> Start:
    """Return the parameters of the two groups with the least sum of squares about their means.

    In one dimension that optimum is a split of the sorted values, found exactly from running sums.

    Args:
        columns: ``[columns, samples]`` float64, finite, each sorted ascending.
        variance_floor: Added to each variance.

    Differs from the authors' code: scikit-learn seeks the same optimum by k-means from a random
    start, which may end in a worse split and depends on the order of the samples.
    """
    count, samples = columns.shape
    weights, means, variances = np.empty((count, 2)), np.empty((count, 2)), np.empty((count, 2))
    left = np.arange(1, samples, dtype=np.float64)
    for i, column in enumerate(columns):
        split = _best_split(column, left)
        for k, part in enumerate((column[:split], column[split:])):
            weights[i, k] = part.size / samples
            means[i, k] = part.mean()
            variances[i, k] = part.var() + variance_floor
    return Start(weights, means, variances)


def low_tail_start(columns: Array, variance_floor: float = VARIANCE_FLOOR) -> Start:
    """Return a start with a small component at the low end of each column.

    K-means splits the bulk of the clean samples when the poison rate is near 1 %; this start puts
    one mean at the 0.5 % quantile with weight 0.02 and the other at the mean, both with the
    column's variance.

    Args:
        columns: ``[columns, samples]`` float64, finite, each sorted ascending.
        variance_floor: Added to each variance.

    Source: our own; neither the paper nor its code has it.
    """
    count, samples = columns.shape
    weights = np.tile([LOW_TAIL_WEIGHT, 1 - LOW_TAIL_WEIGHT], (count, 1))
    low = columns[:, int(LOW_TAIL_QUANTILE * (samples - 1))]
    variances = np.repeat(columns.var(axis=1)[:, None] + variance_floor, 2, axis=1)
    return Start(weights, np.stack([low, columns.mean(axis=1)], axis=1), variances)


def _best_split(column: Array, left: Array) -> int:
    """Return how many of the sorted values go to the lower group, at least one on either side."""
    samples = column.size
    running = np.cumsum(column - column.mean())
    total = running[-1]
    lower = running[:-1]
    between = lower**2 / left + (total - lower) ** 2 / (samples - left)
    between[column[1:] == column[:-1]] = -1.0  # equal values stay together
    return int(np.argmax(between)) + 1

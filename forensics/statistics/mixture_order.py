"""Gaussian mixtures of one to K components in one dimension, the number chosen by AIC.

Many columns at a time. A column is given as its distinct values and how often each occurs, which
changes no sum and bounds the work: a recorded half-precision number has 1,024 values per factor of
two, however many samples there are.

The updates, the stopping rule and the floor under the variances are those of scikit-learn's
``GaussianMixture`` with its defaults. The start is the exact best split into K groups instead of
a random k-means, so that the order of the samples does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.statistics.mixture import MAX_ITERATIONS, TOLERANCE, VARIANCE_FLOOR
from forensics.statistics.optimal_groups import best_groups

Array = NDArray[np.float64]

# Values of one block of responsibilities: 64,000 float64 stay in a second-level cache.
_BLOCK: Final = 64_000
_TINY: Final = 10 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Tally:
    """One column of data, counted.

    Attributes:
        values: ``[v]`` distinct, ascending.
        counts: ``[v]`` how often each occurs; positive.
        floor: Added to every variance, in squared units of the values.
    """

    values: Array
    counts: Array
    floor: float = VARIANCE_FLOOR

    @property
    def total(self) -> float:
        """Number of samples."""
        return float(self.counts.sum())


@dataclass(frozen=True, slots=True)
class ChosenMixtures:
    """The mixture of each column with the lowest AIC; components sorted by mean.

    Attributes:
        order: ``[columns]`` number of components K.
        weights: ``[columns, most]``; rows sum to 1; 0 past a column's own K.
        means: ``[columns, most]``; NaN past K.
        sigmas: ``[columns, most]`` standard deviations; NaN past K.
        aic: ``[columns, most]`` of every K tried, K = 1 first; ``inf`` where there were too few
            distinct values to try it. Lower is better.
    """

    order: NDArray[np.int64]
    weights: Array
    means: Array
    sigmas: Array
    aic: Array


def count_values(column: Array, floor: float = VARIANCE_FLOOR) -> Tally:
    """Count the distinct values of a column ``[samples]`` without NaN."""
    values, counts = np.unique(column, return_counts=True)
    return Tally(values, counts.astype(np.float64), floor)


def choose_mixtures(columns: Sequence[Tally], most: int = 5) -> ChosenMixtures:
    """Fit every column with 1 to ``most`` components and keep the fit with the lowest AIC.

    AIC = 2 (3 K - 1) - 2 log likelihood; of equal ones the smaller K is kept.

    Args:
        columns: The data.
        most: Largest number of components, at least 1.

    Source: Akaike 1974; the range 1..5 is that of 2601.21692.
    """
    best = _Best(len(columns), most)
    starts = [best_groups(c.values, c.counts, most) for c in columns]
    for block in _blocks(columns, most):
        for k in range(1, most + 1):
            fitting = [i for i in block if columns[i].values.size >= k]
            if fitting:
                best.offer(fitting, k, *_fit(fitting, columns, starts, k))
    return best.mixtures


def _blocks(columns: Sequence[Tally], most: int) -> list[list[int]]:
    """Group columns of like length, each group small enough for the cache."""
    order = sorted(range(len(columns)), key=lambda i: (columns[i].values.size, i))
    blocks: list[list[int]] = []
    for i in order:
        width = columns[i].values.size * most
        if not blocks or (len(blocks[-1]) + 1) * width > _BLOCK:
            blocks.append([])
        blocks[-1].append(i)
    return blocks


class _Best:
    """Keeps the best fit of each column."""

    def __init__(self, columns: int, most: int) -> None:
        shape = (columns, most)
        self.mixtures = ChosenMixtures(
            order=np.zeros(columns, dtype=np.int64),
            weights=np.zeros(shape),
            means=np.full(shape, np.nan),
            sigmas=np.full(shape, np.nan),
            aic=np.full(shape, np.inf),
        )

    def offer(
        self, rows: list[int], k: int, weights: Array, means: Array, variances: Array, log: Array
    ) -> None:
        kept = self.mixtures
        aic = 2.0 * (3 * k - 1) - 2.0 * log
        lowest = kept.aic[rows].min(axis=1)
        kept.aic[rows, k - 1] = aic
        better = aic < lowest
        chosen = np.asarray(rows)[better]
        order = np.argsort(means[better], axis=1, kind="stable")
        kept.order[chosen] = k
        for target, values in ((kept.weights, weights), (kept.means, means),
                               (kept.sigmas, np.sqrt(variances))):  # fmt: skip
            target[chosen, :k] = np.take_along_axis(values[better], order, axis=1)


@dataclass(slots=True)
class _Parameters:
    """``[columns, K]`` each."""

    weights: Array
    means: Array
    variances: Array

    def select(self, keep: NDArray[np.bool_]) -> "_Parameters":
        return _Parameters(self.weights[keep], self.means[keep], self.variances[keep])


@dataclass(frozen=True, slots=True)
class _Data:
    """``values`` and ``counts`` padded to ``[columns, v]``; ``floor`` and ``total`` ``[columns]``.

    ``moments`` is ``[columns, v, 3]``: 1, x and x squared.
    """

    values: Array
    counts: Array
    moments: Array
    floor: Array
    total: Array

    def select(self, keep: NDArray[np.bool_]) -> "_Data":
        return replace(
            self, values=self.values[keep], counts=self.counts[keep], moments=self.moments[keep],
            floor=self.floor[keep], total=self.total[keep],
        )  # fmt: skip


def _pad(columns: list[Tally]) -> _Data:
    widest = max(column.values.size for column in columns)
    values, counts = (np.zeros((len(columns), widest)) for _ in range(2))
    for i, column in enumerate(columns):
        values[i, : column.values.size] = column.values
        values[i, column.values.size :] = column.values[-1]
        counts[i, : column.counts.size] = column.counts
    moments = np.stack([np.ones_like(values), values, values**2], axis=2)
    floor = np.array([column.floor for column in columns])
    return _Data(values, counts, moments, floor, counts.sum(axis=1))


def _fit(
    rows: list[int], columns: Sequence[Tally], starts: Sequence[list[NDArray[np.int64]]], k: int
) -> tuple[Array, Array, Array, Array]:
    """Return weights, means, variances ``[rows, k]`` and the log likelihood ``[rows]``."""
    data = _pad([columns[i] for i in rows])
    found = _begin(data, [starts[i][k - 1] for i in rows], k)
    log = np.full(len(rows), -np.inf)
    active = np.arange(len(rows))
    part = data
    for _ in range(MAX_ITERATIONS):
        state = _Parameters(found.weights[active], found.means[active], found.variances[active])
        likelihood = _step(part, state)
        found.weights[active], found.means[active] = state.weights, state.means
        found.variances[active] = state.variances
        moving = ~(np.abs(likelihood - log[active]) < TOLERANCE)
        log[active] = likelihood
        active = active[moving]
        if not active.size:
            break
        part = part if moving.all() else part.select(moving)
    return found.weights, found.means, found.variances, log * data.total


def _begin(data: _Data, groups: list[NDArray[np.int64]], k: int) -> _Parameters:
    """Start from groups of neighbouring values: ``groups`` are where each group ends."""
    sums = np.zeros((len(groups), k, 3))
    weighted = data.moments * data.counts[:, :, None]
    for i, ends in enumerate(groups):
        begins = np.concatenate([[0], ends[:-1]])
        for j, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            sums[i, j] = weighted[i, begin:end].sum(axis=0)
    return _maximise(sums, data.floor)


def _maximise(sums: Array, floor: Array) -> _Parameters:
    """Set the parameters from ``sums`` [columns, K, (count, sum, squares)]."""
    count = np.maximum(sums[..., 0], 0.0) + _TINY
    means = sums[..., 1] / count
    variances = np.maximum(sums[..., 2] / count - means**2, 0.0) + floor[:, None]
    return _Parameters(count / count.sum(axis=1, keepdims=True), means, variances)


def _step(data: _Data, state: _Parameters) -> Array:
    """Take one EM step in place; return the mean log likelihood before it."""
    half = 0.5 / state.variances
    height = np.log(state.weights) - 0.5 * np.log(2 * np.pi * state.variances)
    log = data.values[:, None, :] - state.means[:, :, None]
    np.square(log, out=log)
    log *= -half[:, :, None]
    log += height[:, :, None]
    top = log.max(axis=1)
    log -= top[:, None, :]
    np.exp(log, out=log)
    total = log.sum(axis=1)
    likelihood = ((np.log(total) + top) * data.counts).sum(axis=1) / data.total
    log *= (data.counts / total)[:, None, :]  # now the responsibilities, times the counts
    new = _maximise(log @ data.moments, data.floor)
    state.weights, state.means, state.variances = new.weights, new.means, new.variances
    return np.asarray(likelihood)

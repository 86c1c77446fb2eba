"""How well one number ranks one group above another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import mannwhitneyu

from forensics.statistics.intervals import Interval

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Two groups compared by one number.

    Attributes:
        auc: Probability that a member of the first group has the larger value, ties counting
            half; 0.5 = no difference, NaN where a group is empty.
        interval: Percentile bootstrap interval of ``auc``; (nan, nan) where it is undefined.
        p_value: Of the two-sided Mann-Whitney test; 1 where it is undefined.
        first: Members of the first group with a value.
        second: Members of the second group with a value.
    """

    auc: float
    interval: Interval
    p_value: float
    first: int
    second: int


def compare_ranks(
    values: ArrayLike,
    first: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
) -> Ranking:
    """Ask whether a value ranks one group of rows above the others.

    The test treats rows as independent; the interval does not: it resamples groups of rows, as
    questions about one image are not independent.

    Args:
        values: ``[N]``; NaN rows are left out.
        first: ``[N]`` bool, true for the first group.
        groups: ``[N]`` image of each row, any sortable type; each row its own if ``None``.
        confidence: Coverage of the interval, between 0 and 1.
        replicates: Bootstrap samples; those in which a group is empty are left out.
        seed: Of the resampling.

    Source: Mann and Whitney 1947; the area under the ROC curve is its statistic scaled to 0..1.
    """
    numbers, member = np.asarray(values, dtype=np.float64), np.asarray(first, dtype=np.bool_)
    names = np.arange(numbers.size) if groups is None else np.asarray(groups)
    known = np.isfinite(numbers)
    numbers, member, names = numbers[known], member[known], names[known]
    count = int(member.sum())
    if count in (0, member.size):
        undefined = float("nan")
        return Ranking(undefined, (undefined, undefined), 1.0, count, member.size - count)
    wins = _wins(numbers[member], numbers[~member])
    return Ranking(
        auc=float(wins.mean()),
        interval=_interval(wins, member, names, confidence, replicates, seed),
        p_value=float(mannwhitneyu(numbers[member], numbers[~member]).pvalue),
        first=count,
        second=member.size - count,
    )


def _wins(upper: Array, lower: Array) -> Array:
    """Return ``[upper, lower]``: 1 where the first is larger, 1/2 where both are equal."""
    return np.asarray(0.5 * (1.0 + np.sign(upper[:, None] - lower[None, :])))


def _interval(
    wins: Array,
    member: NDArray[np.bool_],
    names: NDArray[np.generic],
    confidence: float,
    replicates: int,
    seed: int,
) -> Interval:
    _, group = np.unique(names, return_inverse=True)
    size = int(group.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(size, [1 / size] * size, size=replicates)
    weights = drawn[:, group].astype(np.float64)
    upper, lower = weights[:, member], weights[:, ~member]
    pairs = upper.sum(axis=1) * lower.sum(axis=1)
    areas = np.einsum("ri,ij,rj->r", upper, wins, lower, optimize=True)
    ends = np.array([0.5 - confidence / 2, 0.5 + confidence / 2])
    if not (pairs > 0).any():
        return float("nan"), float("nan")
    low, high = np.quantile(areas[pairs > 0] / pairs[pairs > 0], ends)
    return float(low), float(high)

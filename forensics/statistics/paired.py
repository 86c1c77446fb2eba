"""Two yes/no outcomes of the same units, compared; units may come in clusters."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr

from forensics.statistics.intervals import Interval, wilson

_REPLICATES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference of two shares of the same units, with its 95 % interval.

    Attributes:
        n: Units.
        value: First share minus second, -1..1.
        low: Low end of the interval.
        high: High end of the interval.
    """

    n: int
    value: float
    low: float
    high: float


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Return McNemar's exact two-sided p-value.

    Args:
        only_first: Units with the first outcome alone.
        only_second: Units with the second outcome alone.

    Returns:
        Twice the smaller binomial tail, at most 1; 1 where no unit differs.

    Source: McNemar 1947, Psychometrika 12; exact form as in Fay 2010, Biostatistics 11.
    """
    total = only_first + only_second
    if total == 0:
        return 1.0
    return float(min(1.0, 2.0 * bdtr(min(only_first, only_second), total, 0.5)))


def paired_difference(
    first: ArrayLike, second: ArrayLike, clusters: ArrayLike | None = None, *, seed: int = 0
) -> Difference:
    """Compare two yes/no outcomes of the same units.

    The interval is a percentile bootstrap over clusters. A bootstrap of few clusters that all
    agree has no width, so it is never taken narrower than Newcombe's score interval.

    Args:
        first: ``[n]`` bool.
        second: ``[n]`` bool.
        clusters: ``[n]`` cluster of each unit, any sortable type; each unit its own if ``None``.
        seed: Of the resampling.

    Source: Newcombe 1998, Stat. Med. 17, the hybrid score method without its correlation term,
    which could only narrow it here.
    """
    one, two = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if one.size == 0:
        return Difference(n=0, value=0.0, low=-1.0, high=1.0)
    value = float(one.mean() - two.mean())
    score = _score_interval(one, two)
    drawn = cluster_bootstrap(one.astype(np.float64) - two, clusters, seed=seed)
    low, high = min(score[0], drawn[0]), max(score[1], drawn[1])
    return Difference(n=int(one.size), value=value, low=low, high=high)


def difference_of_differences(
    here: Difference, there: Difference, values: ArrayLike, clusters: ArrayLike, *, seed: int = 0
) -> Difference:
    """Compare two differences that were measured on the same units.

    Args:
        here: First difference.
        there: The one it is compared with.
        values: ``[n]`` per unit: outcome here minus control here, minus the same there; -2..2.
        clusters: ``[n]`` cluster of each unit.
        seed: Of the resampling.

    Returns:
        ``here - there``; the wider of the bootstrap over clusters and the interval that follows
        from the two intervals by the square-and-add rule.

    Source: Zou and Donner 2008, Stat. Med. 27 (square-and-add).
    """
    value = here.value - there.value
    low = value - sqrt((here.value - here.low) ** 2 + (there.high - there.value) ** 2)
    high = value + sqrt((here.high - here.value) ** 2 + (there.value - there.low) ** 2)
    drawn = cluster_bootstrap(values, clusters, seed=seed)
    return Difference(
        n=here.n, value=value, low=max(-2.0, min(low, drawn[0])), high=min(2.0, max(high, drawn[1]))
    )


def cluster_bootstrap(
    values: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    replicates: int = _REPLICATES,
    seed: int = 0,
) -> Interval:
    """Return a percentile interval of the mean, resampling whole clusters.

    Args:
        values: ``[n]``, n > 0.
        clusters: ``[n]`` cluster of each value; each value its own if ``None``.
        confidence: Coverage, between 0 and 1.
        replicates: Bootstrap samples.
        seed: Of the resampling.
    """
    numbers = np.asarray(values, dtype=np.float64)
    names = np.arange(numbers.size) if clusters is None else np.asarray(clusters)
    member = np.unique(names, return_inverse=True)[1]
    total = np.bincount(member, weights=numbers)
    size = np.bincount(member).astype(np.float64)
    # Every replicate gives each cluster a count; its mean is a ratio of two weighted sums.
    counts = np.random.default_rng(seed).multinomial(
        size.size, np.full(size.size, 1 / size.size), size=replicates
    )
    means: NDArray[np.float64] = (counts @ total) / (counts @ size)
    low, high = np.quantile(means, (0.5 - confidence / 2, 0.5 + confidence / 2))
    return float(low), float(high)


def _score_interval(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> Interval:
    n, p, q = one.size, float(one.mean()), float(two.mean())
    (low_p, high_p), (low_q, high_q) = wilson(int(one.sum()), n), wilson(int(two.sum()), n)
    low = p - q - sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    high = p - q + sqrt((high_p - p) ** 2 + (q - low_q) ** 2)
    return max(-1.0, low), min(1.0, high)

"""Confidence intervals for shares and for flags scored against a truth."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Interval = tuple[float, float]
_REPLICATES_AT_ONCE: Final = 256  # bounds the memory of the bootstrap


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval for a share.

    Args:
        successes: Between 0 and ``n``.
        n: Trials; with none the interval is (0, 1).
        confidence: Coverage, between 0 and 1.

    Returns:
        Low and high end, within [0, 1].

    Raises:
        ValueError: If ``successes`` is not between 0 and ``n``.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials")
    if n == 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + confidence / 2))
    share, spread = successes / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    # The ends meet 0 and 1 exactly where the share does; rounding must not push them off.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    return low, 1.0 if successes == n else min(1.0, centre + half)


@dataclass(frozen=True, slots=True)
class ScoreIntervals:
    """Bootstrap intervals of three scores; (nan, nan) where a score is undefined."""

    precision: Interval
    recall: Interval
    f1: Interval


def bootstrap_scores(
    flagged: ArrayLike,
    truth: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
) -> ScoreIntervals:
    """Return percentile bootstrap intervals of precision, recall and F1, resampling groups.

    Questions about one image are not independent: name the image as the group.

    Args:
        flagged: ``[N]`` bool.
        truth: ``[N]`` bool, true for the positives.
        groups: ``[N]`` group of each row, any sortable type; each row its own if ``None``.
        confidence: Coverage, between 0 and 1.
        replicates: Bootstrap samples; those in which a score is undefined are left out of it.
        seed: Of the resampling.
    """
    patterns, frequency = _group_patterns(np.asarray(flagged), np.asarray(truth), groups)
    rng = np.random.default_rng(seed)
    total = int(frequency.sum())
    if total == 0:
        return ScoreIntervals(*[(float("nan"), float("nan"))] * 3)
    drawn = [
        rng.multinomial(total, frequency / total, size=min(_REPLICATES_AT_ONCE, replicates - done))
        @ patterns
        for done in range(0, replicates, _REPLICATES_AT_ONCE)
    ]
    tp, fp, fn = np.concatenate(drawn).T.astype(np.float64)
    pairs = ((tp, tp + fp), (tp, tp + fn), (2 * tp, 2 * tp + fp + fn))
    return ScoreIntervals(*(_percentiles(a, b, confidence) for a, b in pairs))


def _group_patterns(
    flagged: NDArray[np.bool_], truth: NDArray[np.bool_], groups: ArrayLike | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct (tp, fp, fn) counts of a group and how many groups have each.

    Drawing patterns by their frequency is the same as drawing groups, at a cost that does not grow
    with their number.
    """
    cells = np.stack([flagged & truth, flagged & ~truth, ~flagged & truth], axis=1).astype(np.int64)
    if groups is not None:
        names, member = np.unique(np.asarray(groups), return_inverse=True)
        counts = np.zeros((names.size, 3), dtype=np.int64)
        np.add.at(counts, member, cells)
        cells = counts
    patterns, frequency = np.unique(cells, axis=0, return_counts=True)
    return patterns, frequency.astype(np.int64)


def _percentiles(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], confidence: float
) -> Interval:
    defined = denominator > 0
    if not defined.any():
        return float("nan"), float("nan")
    ends = np.array([0.5 - confidence / 2, 0.5 + confidence / 2])
    low, high = np.quantile(numerator[defined] / denominator[defined], ends)
    return float(low), float(high)

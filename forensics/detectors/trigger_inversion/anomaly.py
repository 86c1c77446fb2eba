"""How far a class lies below the others: the anomaly index of Neural Cleanse, one-sided."""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

FEWEST_CLASSES: Final = 5
"""With fewer classes the median absolute deviation says nothing (our choice)."""
_TINY: Final = 1e-8
_DRAWS: Final = 2_000_000  # numbers of a simulated null

Problem = Literal["too-few-classes", "no-spread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outliers:
    """Anomaly indices, and whether they can be believed.

    Attributes:
        index: ``[C]`` (median - value) / (1.4826 MAD + 1e-8); high for an outlier below. NaN where
            it is undefined.
        median: Of the values.
        spread: 1.4826 MAD.
        problem: ``too-few-classes`` (fewer than five: the index is given, but not decided by), or
            ``no-spread`` (more than half of the values are the same, so that any other is
            infinitely far away), or ``None``.
    """

    index: NDArray[np.float64]
    median: float
    spread: float
    problem: Problem | None


def find_outliers(values: NDArray[np.float64]) -> Outliers:
    """Measure how far each value lies below the others.

    Args:
        values: ``[C]``, finite.

    Source: Neural Cleanse (Wang et al. 2019), there two-sided and on mask sizes; CLIP-Inspector
    (arXiv 2604.09101) takes losses. One-sided, and 1.4826 for a Gaussian, is our reading.
    """
    median = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - median)))
    # Relative to the values: losses are O(1), mask sizes O(1000).
    if spread <= _TINY * max(1.0, abs(median)):
        index = np.where(np.abs(values - median) <= _TINY * max(1.0, abs(median)), 0.0, np.nan)
        problem: Problem | None = "no-spread"
    else:
        index = (median - values) / (spread + _TINY)
        problem = None
    few: Problem | None = "too-few-classes" if len(values) < FEWEST_CLASSES else None
    return Outliers(index=index, median=median, spread=spread, problem=few or problem)


@cache
def gaussian_cut(classes: int, quantile: float = 0.95) -> float:
    """Return what the largest of ``classes`` indices exceeds with chance 1 - ``quantile``.

    A guide where no clean models were scanned: values are taken as independent Gaussians, which
    losses of classes are not. Simulated with a fixed seed; about 3.8 for 12 classes.
    """
    rng = np.random.default_rng(classes)
    rows = max(2000, min(40_000, _DRAWS // classes))
    largest = []
    for start in range(0, rows, 2000):
        drawn = rng.standard_normal((min(2000, rows - start), classes))
        median = np.median(drawn, axis=1, keepdims=True)
        spread = 1.4826 * np.median(np.abs(drawn - median), axis=1, keepdims=True) + _TINY
        largest.append(((median - drawn) / spread).max(axis=1))
    return float(np.quantile(np.concatenate(largest), quantile))

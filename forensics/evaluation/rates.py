"""Shares with their counts and intervals, and the form in which answers are compared."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.statistics.intervals import wilson
from forensics.statistics.paired import cluster_bootstrap


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its count and 95 % interval; ``value`` is ``None`` where n = 0."""

    value: float | None
    n: int
    low: float | None
    high: float | None


def rate_of(outcomes: Sequence[bool], clusters: Sequence[Hashable] | None = None) -> Rate:
    """Count outcomes: share, n, Wilson 95 % interval.

    Args:
        outcomes: ``[n]``.
        clusters: ``[n]`` what outcomes share, for instance their picture: questions about one
            picture are not independent. Where two outcomes share one, the interval is the wider of
            Wilson's and a percentile bootstrap over clusters (2,000 replicates, fixed seed).
    """
    if not outcomes:
        return Rate(value=None, n=0, low=None, high=None)
    low, high = wilson(sum(outcomes), len(outcomes))
    if clusters is not None and len(set(clusters)) < len(clusters):
        numbers = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
        drawn = cluster_bootstrap(
            np.asarray(outcomes, dtype=np.float64), [numbers[name] for name in clusters]
        )
        low, high = min(low, drawn[0]), max(high, drawn[1])
    return Rate(value=sum(outcomes) / len(outcomes), n=len(outcomes), low=low, high=high)


def same_text(text: str) -> str:
    """Bring an answer into the form in which answers are compared."""
    return " ".join(text.split()).casefold()

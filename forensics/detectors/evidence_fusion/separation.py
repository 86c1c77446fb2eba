"""How far a group of samples stands apart from others, on samples it was not learnt from.

The measure is the same for a suspected group and for the natural groups it is compared with:
Fisher's linear direction with a ridge, learnt on one part and measured on another, in units of
the groups' own spread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_RIDGE: Final = 0.1  # of the mean variance: keeps directions of few samples steady
_FOLDS: Final = 4
_FEWEST_IN_FOLD: Final = 5
_LARGEST: Final = 50.0


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and scatter of rows, shared by all groups that are measured on them.

    Attributes:
        count: Rows.
        mean: ``[columns]``.
        scatter: ``[columns, columns]`` sum of outer products about the mean.
    """

    count: int
    mean: Array
    scatter: Array

    @classmethod
    def of(cls, rows: Array) -> "Moments":
        """Sum up rows ``[n, columns]``."""
        mean = rows.mean(axis=0)
        centred = rows - mean
        return cls(len(rows), mean, centred.T @ centred)


def direction(total: Moments, rows: Array, member: Mask) -> Array:
    """Return Fisher's direction from the others to the members, ``[columns]``."""
    return directions(total, rows, member[None])[:, 0]


def directions(total: Moments, rows: Array, members: Mask) -> Array:
    """Return Fisher's direction of each group, ``[columns, groups]``, up to a positive factor.

    The total scatter stands in for that within the two groups: it differs by a multiple of the
    outer product of the gap, which leaves the direction as it is (Sherman and Morrison).

    Args:
        total: Of the rows.
        rows: ``[n, columns]``.
        members: ``[groups, n]``.
    """
    inside = members.sum(axis=1)[:, None].astype(np.float64)
    own = members.astype(np.float64) @ rows
    gaps = own / inside - (total.mean * total.count - own) / (total.count - inside)
    covariance = total.scatter / total.count
    ridge = _RIDGE * float(np.trace(covariance)) / len(covariance) + 1e-9
    return np.asarray(np.linalg.solve(covariance + ridge * np.eye(len(covariance)), gaps.T))


def area(score: Array, member: Mask) -> float:
    """Return the probability that a member scores higher than another, ties counting half."""
    ranks = rankdata(score)
    inside = int(member.sum())
    wins = float(ranks[member].sum()) - inside * (inside + 1) / 2
    return wins / (inside * (member.size - inside))


def make_folds(kinds: NDArray[np.int64], group: Mask) -> NDArray[np.int64]:
    """Return the fold of each row.

    Where the group spans several kinds of question, each is a fold: what is learnt from one kind
    has to hold for another. Otherwise rows are dealt out in their order, members and others apart.
    """
    members = np.bincount(kinds[group], minlength=int(kinds.max(initial=0)) + 1)
    large = np.flatnonzero(members >= _FEWEST_IN_FOLD)
    if large.size >= 2:
        fold = np.full(members.size, large.size, dtype=np.int64)
        fold[large] = np.arange(large.size)
        return np.asarray(fold[kinds])
    dealt = np.empty(group.size, dtype=np.int64)
    for part in (group, ~group):
        dealt[part] = np.arange(int(part.sum())) % _FOLDS
    return dealt


def separations(rows: Array, groups: Sequence[Mask], folds: NDArray[np.int64]) -> Array:
    """Return how far each group stands apart, ``[groups]`` >= 0, at most 50.

    The difference of the mean held-out scores over their pooled deviation, averaged over folds by
    the members in them; 0 where a group cannot be measured or points the other way.

    Args:
        rows: ``[n, columns]``, finite.
        groups: Masks ``[n]``; the others of each are all rows outside it.
        folds: ``[n]``.
    """
    table = np.stack(groups) if groups else np.zeros((0, len(rows)), dtype=np.bool_)
    found, weight = np.zeros(len(table)), np.zeros(len(table))
    for fold in np.unique(folds):
        test = folds == fold
        inside, outside = table[:, ~test], table[:, test]
        fewest = [half.sum(axis=1) for half in (inside, ~inside, outside, ~outside)]
        able = np.flatnonzero(np.min(fewest, axis=0) >= 2)
        if not able.size:
            continue
        total = Moments.of(rows[~test])
        scores = rows[test] @ directions(total, rows[~test], inside[able])
        members = outside[able].sum(axis=1)
        found[able] += members * _gaps(scores, outside[able])
        weight[able] += members
    return np.asarray(np.clip(found / np.maximum(weight, 1.0), 0.0, _LARGEST))


def _gaps(scores: Array, members: Mask) -> Array:
    """Return (mean of members - mean of others) / pooled deviation, ``[groups]``."""
    own = members.T.astype(np.float64)
    centred = scores - scores.mean(axis=0)
    sides = []
    for weight in (own, 1.0 - own):
        count = weight.sum(axis=0)
        mean = (weight * centred).sum(axis=0) / count
        sides.append((mean, (weight * (centred - mean) ** 2).sum(axis=0) / count))
    (high, first), (low, second) = sides
    spread = np.sqrt((first + second) / 2)
    gaps: Array = np.clip((high - low) / np.maximum(spread, 1e-12), -_LARGEST, _LARGEST)
    return gaps

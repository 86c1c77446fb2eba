"""What masked views say of a suspected group, where such a run is at hand.

They cover few samples: candidates of another scan and random controls. So the group's covered
samples are compared with the covered natural groups of the same set alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.evidence_fusion.separation import area

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FEWEST: Final = 5  # covered samples on either side
_FEWEST_GROUPS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OcclusionRank:
    """How a suspected group stands among natural groups by masked views.

    Attributes:
        covered: Samples of the group with masked views.
        separation: 2 |area - 1/2| of the measure that tells the group best from other covered
            samples, 0..1; NaN where too few are covered.
        groups: Natural groups that could be measured.
        rank: Share of them that lie below; 0 with fewer than eight.
        p_value: Share at or above, never below 1 / (1 + groups); 1 with fewer than eight.
    """

    covered: int
    separation: float
    groups: int
    rank: float
    p_value: float


def rank_occlusion(
    measures: NDArray[Any], member: Mask, natural: Sequence[Mask], use: Mask
) -> OcclusionRank:
    """Rank a group by its masked views.

    Args:
        measures: ``[n, measures]``, NaN where a sample has none.
        member: ``[n]`` the suspected group.
        natural: Masks ``[n]`` of natural groups.
        use: ``[n]`` rows that count.
    """
    covered = use & np.isfinite(measures).all(axis=1)
    own = _separation(measures[covered], member[covered])
    rest = covered & ~member
    others = [_separation(measures[rest], group[rest]) for group in natural]
    known = np.array([value for value in others if np.isfinite(value)])
    enough = np.isfinite(own) and known.size >= _FEWEST_GROUPS
    return OcclusionRank(
        covered=int((covered & member).sum()),
        separation=own,
        groups=int(known.size),
        rank=float((known < own).mean()) if enough else 0.0,
        p_value=float((1 + (known >= own).sum()) / (1 + known.size)) if enough else 1.0,
    )


def _separation(measures: NDArray[Any], member: Mask) -> float:
    if min(member.sum(), (~member).sum()) < _FEWEST:
        return float("nan")
    return max(2 * abs(area(np.asarray(column), member) - 0.5) for column in measures.T)

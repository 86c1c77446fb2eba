"""How clear a split must be before it is more than chance.

AIC takes several Gaussians for any column that is not one Gaussian, and such a mixture always has
a gap of least overlap. So a set without any second group yields votes, too. The floor says how
clearly columns of *one hump* part by that accident.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.attention_allocation.heads import FINEST_GRID, HeadFits, split_heads, tally
from forensics.statistics.mixture_order import Tally, choose_mixtures
from forensics.statistics.overlap import side_overlaps
from forensics.statistics.unimodal import draw_counts, nearest_unimodal

Array = NDArray[np.float64]

DRAWS: Final = 60  # columns drawn per head
_TAIL: Final = 0.2  # share of the drawn clarities that the tail is fitted to
_SEED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What chance alone does to the heads that were tested.

    Attributes:
        clarity: ``[heads]`` a head counts if its clarity is above this; NaN where not tested.
        level: Chance that any of all heads passes in a set of one-humped columns.
        drawn: Columns drawn.
    """

    clarity: Array
    level: float
    drawn: int


def calibrate(
    fits: HeadFits,
    which: NDArray[np.int64],
    *,
    samples: int,
    smallest: float,
    level: float,
    most: int = 5,
) -> Floor:
    """Draw columns of one hump, as like each head's as can be, and see how clearly they part.

    A head's column is replaced by the nearest histogram with one hump; columns drawn from it go
    through the same scaling, mixtures and split. The upper tail of the logarithm of their
    clarities is taken as exponential, and the floor is where the head passes with chance
    ``level`` over the number of all heads (Bonferroni, so that choosing heads first is allowed).
    Seeded, and the same for any order of the samples.

    Args:
        fits: Of all candidate heads.
        which: Places of the heads to test, each with a split.
        samples: Scanned samples.
        smallest: As in :func:`split_heads`.
        level: Family-wise, over all candidate heads.
        most: As in ``fit_heads``.

    Source: ours. The idea of a null that has one hump is Silverman's (1981); the nearest one-humped
    shape is that of the dip test (Hartigan and Hartigan 1985).
    """
    random = np.random.default_rng(_SEED)
    drawn = [column for i in which for column in _draw(fits.tallies[i], samples, random)]
    floor = np.full(fits.span.size, np.nan)
    if drawn:
        mixtures = choose_mixtures(drawn, most)
        clarity = split_heads(mixtures, *side_overlaps(mixtures), smallest).clarity
        chance = level / fits.span.size
        for i, own in zip(which, clarity.reshape(which.size, DRAWS), strict=True):
            floor[i] = _extreme(own, chance)
    return Floor(clarity=floor, level=level, drawn=len(drawn))


def _draw(like: Tally, samples: int, random: np.random.Generator) -> list[Tally]:
    """Draw columns of one hump, recorded as finely as the real one."""
    points = min(FINEST_GRID, max(2, round(1.0 / float(np.sqrt(like.floor)))))
    shape = nearest_unimodal(like.values, like.counts)
    made = []
    for counts in draw_counts(shape, points, samples, DRAWS, random):
        seen = np.flatnonzero(counts)
        span = max(1, int(seen[-1] - seen[0]))
        made.append(tally((seen - seen[0]) / span, 1.0 / span, counts[seen]))
    return made


def _extreme(clarity: Array, chance: float) -> float:
    """Return the value that a clarity exceeds with a small chance."""
    logs = np.log(np.maximum(clarity, 1.0))  # no split counts as the least clear one
    begin = float(np.quantile(logs, 1.0 - _TAIL))
    above = logs[logs > begin] - begin
    if not above.size:
        return float(np.exp(begin))
    share = above.size / logs.size
    return float(np.exp(begin + above.mean() * max(0.0, float(np.log(share / chance)))))

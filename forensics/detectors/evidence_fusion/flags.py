"""Which samples of an accepted group to flag.

Under questions where the answer is out of place nearly all of its samples are suspected; where it
is an ordinary answer most are genuine, and only those that look like the suspected ones are
flagged.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.evidence_fusion.measures import Comparison
from forensics.detectors.evidence_fusion.separation import (
    Moments,
    direction,
    make_folds,
    separations,
)

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

TELLING: Final = 2.0  # separation from which single samples can be told apart
_STEPS: Final = 50
_NARROWEST: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFlags:
    """Single samples of an accepted group.

    Attributes:
        score: ``[m]`` place on the line from other samples (0) to suspected ones (1).
        posterior: ``[m]`` probability of being suspected; 0 for samples with another answer.
        flagged: ``[m]`` posterior above one half.
        separation: Of suspected samples from others on held-out samples, without the state.
        elsewhere: Samples with the answer where it is ordinary.
        elsewhere_flagged: Those flagged.
    """

    score: Array
    posterior: Array
    flagged: Mask
    separation: float
    elsewhere: int
    elsewhere_flagged: int


def flag_samples(compared: Comparison, channels: tuple[str, ...]) -> SampleFlags:
    """Flag the samples that lie on the suspected side.

    A line is learnt from suspected and other samples under the same questions, over all channels
    but the state: the state tells which answer comes next, so an honest "circle" and a planted one
    look alike in it. Where the line does not tell samples apart, every sample with the answer out
    of place is flagged, and none elsewhere.

    Args:
        compared: Measured rows.
        channels: Those that may be used.
    """
    names = [name for name in channels if name != "state"] or list(channels)
    values = np.concatenate([compared.values[name] for name in names], axis=1)
    use, member = compared.use, compared.member
    folds = make_folds(np.zeros(int(use.sum()), dtype=np.int64), member[use])
    separation = float(separations(values[use], [member[use]], folds)[0])
    score = _score(values, use, member)
    posterior = member.astype(np.float64)
    if separation >= TELLING:
        _weigh(posterior, score, member, use & ~member, prior=0.9)
        _weigh(posterior, score, compared.elsewhere, use & ~member, prior=0.5, core=score[member])
    flagged = posterior > 0.5
    return SampleFlags(
        score=score,
        posterior=posterior,
        flagged=flagged,
        separation=separation,
        elsewhere=int(compared.elsewhere.sum()),
        elsewhere_flagged=int((flagged & compared.elsewhere).sum()),
    )


def _score(values: Array, use: Mask, member: Mask) -> Array:
    line = values @ direction(Moments.of(values[use]), values[use], member[use])
    low, high = np.median(line[use & ~member]), np.median(line[member])
    return np.asarray((line - low) / max(float(high - low), 1e-9))


def _weigh(
    posterior: Array,
    score: Array,
    part: Mask,
    others: Mask,
    *,
    prior: float,
    core: Array | None = None,
) -> None:
    """Set the posterior of a part: how much of it is suspected is learnt, both shapes are given."""
    if not part.any():
        return
    own = score[part] if core is None else core
    high, low = _shape(own), _shape(score[others])
    x, share = score[part], prior
    for _ in range(_STEPS):
        up, down = share * _density(x, *high), (1 - share) * _density(x, *low)
        found = up / np.maximum(up + down, 1e-300)
        share = float(np.clip(found.mean(), 0.001, 0.999))
    # Beyond the centre of either side the wider Gaussian must not win back what lies there.
    found = np.where(x >= high[0], 1.0, np.where(x <= low[0], 0.0, found))
    posterior[part] = found


def _shape(values: Array) -> tuple[float, float]:
    """Return centre and deviation, by ranks: a share of the other kind moves them little."""
    low, middle, high = np.quantile(values, [0.1587, 0.5, 0.8413])
    return float(middle), max(float(high - low) / 2, _NARROWEST)


def _density(x: Array, centre: float, deviation: float) -> Array:
    return np.asarray(np.exp(-0.5 * ((x - centre) / deviation) ** 2) / deviation)

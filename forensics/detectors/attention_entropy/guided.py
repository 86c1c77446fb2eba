"""Two Gaussians fitted with one answer in mind: does it go with a collapse of its own?

A mixture that is blind to the answers puts its lower component where most low values are: in the
tail of the benign samples, if that is larger than the poison. Given one suspected answer, only
samples with it may be poisoned; all others belong to the upper group.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.statistics.mixture import crossing

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Residuals are clipped, so a strong collapse is one value; a group is never narrower than this.
NARROWEST: Final = 0.3
# However many samples with the answer collapse: the answer alone is no evidence against the rest.
_LARGEST_PRIOR: Final = 0.9
_FEWEST: Final = 3.0  # samples' worth of collapse below which there is no lower group
_STEPS: Final = 200
_SETTLED: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidedFit:
    """Two groups of values: samples with the answer that collapse, and everybody else.

    Attributes:
        prior: Share of the samples with the answer that belong to the lower group.
        means: Lower, upper.
        sigmas: Standard deviations, lower, upper.
        weight: Share of all samples in the lower group.
        converged: Whether the fit settled.
    """

    prior: float
    means: tuple[float, float]
    sigmas: tuple[float, float]
    weight: float
    converged: bool

    @property
    def separation(self) -> float:
        """Gap of the means over the root of the summed variances, as rule ``root`` has it."""
        return (self.means[1] - self.means[0]) / float(np.hypot(*self.sigmas))

    @property
    def cut(self) -> float:
        """Value between the means where a sample with the answer is as likely in either group.

        The share of its group counts with at most 0.9; halfway where nothing crosses.
        """
        prior = min(self.prior, _LARGEST_PRIOR)
        odds = np.array([prior, 1.0 - prior])
        value = crossing(odds, np.array(self.means), np.array(self.sigmas))
        return float(np.mean(self.means)) if np.isnan(value) else value

    @property
    def blind_cut(self) -> float:
        """The same for a sample of which only the value is known."""
        odds = np.array([self.weight, 1.0 - self.weight])
        value = crossing(odds, np.array(self.means), np.array(self.sigmas))
        return self.means[0] if np.isnan(value) else value


def fit_guided(values: Array, suspected: Mask, start: Mask) -> GuidedFit | None:
    """Fit the two groups by expectation maximisation.

    Args:
        values: ``[samples]`` finite; lower = more suspicious.
        suspected: ``[samples]`` those with the suspected answer; only they may be in the lower
            group.
        start: ``[samples]`` those that begin there.

    Returns:
        The fit; ``None`` where no lower group is left, or it is not the lower one.

    Source: ours; a semi-supervised Gaussian mixture.
    """
    order = np.argsort(values[suspected], kind="stable")
    x, share = values[suspected][order], start[suspected][order].astype(np.float64)
    rest = np.sort(values[~suspected])
    if share.sum() < _FEWEST or rest.size + x.size < 2 * _FEWEST or not rest.size:
        return None
    sums = np.array([rest.size, rest.sum(), np.square(rest).sum()])
    converged = False
    for _ in range(_STEPS):
        low = _gaussian(np.array([share.sum(), share @ x, share @ x**2]))
        out = 1.0 - share
        high = _gaussian(sums + np.array([out.sum(), out @ x, out @ x**2]))
        renewed = _membership(x, low, high, float(np.clip(share.mean(), 1e-3, 1 - 1e-3)))
        converged = bool(np.abs(renewed - share).max() < _SETTLED)
        share = renewed
        if converged or share.sum() < _FEWEST:
            break
    if share.sum() < _FEWEST or low[0] >= high[0]:
        return None
    return GuidedFit(
        prior=float(share.mean()),
        means=(low[0], high[0]),
        sigmas=(low[1], high[1]),
        weight=float(share.sum() / values.size),
        converged=converged,
    )


def _gaussian(sums: Array) -> tuple[float, float]:
    """Return mean and deviation from count, sum and sum of squares."""
    mean = sums[1] / sums[0]
    return float(mean), float(np.sqrt(max(sums[2] / sums[0] - mean**2, NARROWEST**2)))


def _membership(
    x: Array, low: tuple[float, float], high: tuple[float, float], prior: float
) -> Array:
    odds = (
        np.log(prior / (1.0 - prior) * high[1] / low[1])
        - 0.5 * ((x - low[0]) / low[1]) ** 2
        + 0.5 * ((x - high[0]) / high[1]) ** 2
    )
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(-odds, -700.0, 700.0))))

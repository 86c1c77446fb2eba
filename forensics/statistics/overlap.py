"""How much the lower components of a mixture overlap with the upper ones."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.statistics.mixture_order import ChosenMixtures

Array = NDArray[np.float64]

# Integration runs over data scaled to 0..1 and as far beyond on either side. The step is half the
# smallest standard deviation that the variance floor allows, 1e-3: the trapezoid rule is then
# exact to about eight digits for a Gaussian, and to step^2 at the kink of the minimum.
_FROM, _TO, _POINTS = -1.0, 2.0, 6001
_ROWS: Final = 64


def side_overlaps(mixtures: ChosenMixtures) -> tuple[Array, Array]:
    """Part the components at every gap between neighbours, and measure what the sides share.

    The shared mass is the integral of min(lower side, upper side), by the trapezoid rule.

    Args:
        mixtures: Of columns scaled to 0..1.

    Returns:
        ``[columns, most - 1]`` weight of the components below each gap, and the shared mass at it:
        0 = apart, at most the weight of the lighter side. NaN where there is no such gap.
    """
    columns, most = mixtures.weights.shape
    lower = np.cumsum(mixtures.weights, axis=1)[:, :-1]
    shared = np.full((columns, most - 1), np.nan)
    grid = np.linspace(_FROM, _TO, _POINTS)
    split = np.flatnonzero(mixtures.order > 1)
    for begin in range(0, split.size, _ROWS):
        rows = split[begin : begin + _ROWS]
        shared[rows] = _shared(mixtures, rows, grid)
    real = np.arange(1, most)[None, :] < mixtures.order[:, None]
    return np.where(real, lower, np.nan), np.where(real, shared, np.nan)


def _shared(mixtures: ChosenMixtures, rows: NDArray[np.int64], grid: Array) -> Array:
    density = np.zeros((rows.size, mixtures.weights.shape[1], grid.size))
    for place, row in enumerate(rows):
        k = int(mixtures.order[row])
        sigma = mixtures.sigmas[row, :k, None]
        z = (grid - mixtures.means[row, :k, None]) / sigma
        height = mixtures.weights[row, :k, None] / (sigma * np.sqrt(2 * np.pi))
        density[place, :k] = height * np.exp(-0.5 * z**2)
    below = np.cumsum(density, axis=1)
    least = np.minimum(below[:, :-1], below[:, -1:] - below[:, :-1])
    return np.asarray(np.trapezoid(least, dx=grid[1] - grid[0], axis=2))

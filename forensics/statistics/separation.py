"""How far apart the two components of a fitted mixture lie."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def separation_root(means: Array, sigmas: Array) -> Array:
    """Return |mu1 - mu2| / sqrt(s1^2 + s2^2) over the last axis; larger is better separated.

    Args:
        means: ``[..., 2]``.
        sigmas: ``[..., 2]``, positive.

    Source: 2505.16916, Eq. 7 (bimodal separation index), read as a root of summed squares.
    """
    return np.asarray(
        np.abs(means[..., 1] - means[..., 0]) / np.hypot(sigmas[..., 0], sigmas[..., 1])
    )


def separation_code(means: Array, sigmas: Array) -> Array:
    """Return |mu1 - mu2| / (s1 + s2) over the last axis; never above :func:`separation_root`.

    Args:
        means: ``[..., 2]``.
        sigmas: ``[..., 2]``, positive.

    Source: the authors' code, ``bye.py::check_bimodal_distribution``.
    """
    return np.asarray(np.abs(means[..., 1] - means[..., 0]) / (sigmas[..., 0] + sigmas[..., 1]))


def divergence(means: Array, sigmas: Array) -> Array:
    """Return KL(N_low || N_high) in nats over the last axis, component 0 being the low one.

    Args:
        means: ``[..., 2]``, ascending.
        sigmas: ``[..., 2]``, positive.

    Source: the authors' code, where it is plotted and never used for selection.
    """
    low, high = sigmas[..., 0], sigmas[..., 1]
    gap = means[..., 0] - means[..., 1]
    return np.asarray(np.log(high / low) + (low**2 + gap**2) / (2 * high**2) - 0.5)

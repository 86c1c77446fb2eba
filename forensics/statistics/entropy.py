"""Entropy of attention rows, in nats."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Added inside the logarithm, as the authors' public code does (LLaVA/llava/eval/model_vqa.py).
EPSILON = 1e-8


def row_entropy(rows: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """Return the entropy of attention rows after rescaling each to sum 1.

    The value runs from 0 (all attention on one token) to ``ln T`` (spread over all ``T`` tokens);
    lower is more concentrated. Scaling a row does not change it.

    Args:
        rows: Non-negative attention, any shape; heads already averaged.
        axis: The token axis.

    Returns:
        float64 nats, ``rows`` without ``axis``; NaN where a row has no mass or a non-finite value.

    Source: 2505.16916, Eq. 5. The rescaling and the 1e-8 are in the authors' code, not the paper.
    """
    values = np.asarray(rows, dtype=np.float64)
    mass = values.sum(axis=axis, keepdims=True)
    usable = np.isfinite(mass) & (mass > 0)
    p = values / np.where(usable, mass, np.nan)
    return np.asarray(-(p * np.log(p + EPSILON)).sum(axis=axis), dtype=np.float64)

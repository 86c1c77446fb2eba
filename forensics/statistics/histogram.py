"""Histograms with the Gaussians of a fit over them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 60

Array = NDArray[np.float64]


def stacked_histogram(
    values: Array, flagged: NDArray[np.bool_], bins: int = BINS
) -> dict[str, Any]:
    """Count flagged and kept values in bins of equal width.

    Args:
        values: ``[n]``; NaN is left out.
        flagged: ``[n]``.
        bins: Number of bins; fewer where there are few distinct values.

    Returns:
        ``edges`` (one more than bins), ``flagged`` and ``kept`` counts; all empty without values.
    """
    usable = np.isfinite(values)
    present, marked = values[usable], flagged[usable]
    if not present.size:
        return {"edges": [], "flagged": [], "kept": []}
    low, high = float(present.min()), float(present.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, min(bins, max(8, present.size // 4)) + 1)
    return {
        "edges": edges.tolist(),
        "flagged": np.histogram(present[marked], edges)[0].tolist(),
        "kept": np.histogram(present[~marked], edges)[0].tolist(),
    }


def gaussians(weights: Any, means: Any, sigmas: Any) -> list[dict[str, float]]:
    """Return the components of a fit for drawing; empty where there is no fit."""
    parts = [
        {"weight": float(w), "mean": float(m), "sd": float(s)}
        for w, m, s in zip(weights, means, sigmas, strict=True)
    ]
    return [] if any(not np.isfinite(list(p.values())).all() for p in parts) else parts

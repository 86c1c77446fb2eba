"""What an answer depends on: measures of how it changes when parts of the picture are hidden.

From the divergences of K masked views of each sample to numbers that rank samples::

    measures = measure_views(divergence, agreement, masks)
    occlusion = occlusion_map(divergence[i], masks[i])

They rank, and no more: high agreement on a question that needs the picture may be a global trigger,
or a question that needs no picture after all; two groups of divergences with one hot cell may be a
patch, or the one object asked about. Compare candidates with random controls, and the tuned model
with its base on the same masks.

Source: "A Patch-based Cross-view Regularized Framework for Backdoor Defense in Multimodal Large
Language Models", arXiv 2604.04488 (reconstruction). The paper trains with masked views; to read
them as a diagnostic is our addition.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.statistics.mixture import fit_mixtures
from forensics.statistics.mixture_start import two_means_start
from forensics.statistics.separation import separation_root

Array = NDArray[np.float64]
MEASURES = ("invariance", "agreement", "spread", "peak_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewMeasures:
    """What the views of n samples say; NaN (and cell -1) where a sample could not be read.

    Attributes:
        invariance: ``[n]`` minus the median divergence in nats; 0 = nothing changes, lower = the
            answer depends more on the picture.
        agreement: ``[n]`` share of views that keep the answer, 0..1.
        spread: ``[n]`` separation of two Gaussians fitted to the divergences; 0 = one group,
            larger = views fall into "nothing happens" and "everything changes".
        peak_share: ``[n]`` share of the occlusion map's positive part in its hottest cell, 0..1;
            0 where no cell raises the divergence.
        peak_cell: ``[n]`` int64, the hottest cell; -1 where there is none.
    """

    invariance: Array
    agreement: Array
    spread: Array
    peak_share: Array
    peak_cell: NDArray[np.int64]


def measure_views(divergence: ArrayLike, agreement: ArrayLike, masks: ArrayLike) -> ViewMeasures:
    """Measure n samples from K masked views of each.

    Args:
        divergence: ``[n, K]`` KL(answer of the original || answer of the view) of the first answer
            token, nats; a row of NaN where a sample could not be read.
        agreement: ``[n, K]`` 1 where the view keeps the answer, else 0.
        masks: ``[n, K, cells]`` bool, True = hidden.

    Source: our reconstruction of 2604.04488, diagnostic mode.
    """
    d = np.asarray(divergence, dtype=np.float64)
    read: NDArray[np.bool_] = np.asarray(np.isfinite(d).all(axis=1))
    shares, cells = np.full(len(d), np.nan), np.full(len(d), -1, dtype=np.int64)
    for i in np.flatnonzero(read):
        cells[i], shares[i] = hottest(occlusion_map(d[i], np.asarray(masks)[i]))
    kept = np.where(read, np.asarray(agreement, dtype=np.float64).mean(axis=1), np.nan)
    return ViewMeasures(
        invariance=np.where(read, -np.median(d, axis=1), np.nan),
        agreement=kept,
        spread=_on_read(read, d),
        peak_share=shares,
        peak_cell=cells,
    )


def _on_read(read: NDArray[np.bool_], divergence: Array) -> Array:
    values = np.full(len(divergence), np.nan)
    values[read] = spread(divergence[read])
    return values


def spread(divergence: Array) -> Array:
    """Return how far the divergences of each sample fall into two groups.

    Args:
        divergence: ``[n, K]`` nats, finite.

    Returns:
        ``[n]``: |mu1 - mu2| / sqrt(s1^2 + s2^2) of two Gaussians; 0 where all views are alike.
        The variance floor of the fit is 1e-6 nats^2, so differences below about 1e-3 nats do not
        count; one single view apart from all others already makes a large value.

    Source: 2505.16916, Eq. 7, for layers; here for the views of one sample.
    """
    columns = np.sort(divergence, axis=1)
    values = np.zeros(len(columns))
    varied = np.ptp(columns, axis=1) > 0
    if varied.any():
        fitted = fit_mixtures(columns[varied], two_means_start(columns[varied]))
        values[varied] = separation_root(fitted.means, fitted.sigmas)
    return values


def occlusion_map(divergence: ArrayLike, masks: ArrayLike) -> Array:
    """Map how much more the answer changes when a cell is hidden than when it is visible.

    Args:
        divergence: ``[K]`` of one sample, nats.
        masks: ``[K, cells]`` bool, True = hidden.

    Returns:
        ``[cells]`` nats: mean over views that hide the cell minus mean over views that show it;
        NaN where no view hides it, or all do.
    """
    d, hidden = np.asarray(divergence, dtype=np.float64), np.asarray(masks, dtype=np.float64)
    count = hidden.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = d @ hidden / count - d @ (1.0 - hidden) / (len(d) - count)
    return np.asarray(np.where((count > 0) & (count < len(d)), difference, np.nan))


def hottest(occlusion: Array) -> tuple[int, float]:
    """Return the hottest cell of a map and its share of the map's positive part.

    Where no cell raises the divergence there is no hot cell: -1 and share 0.
    """
    positive = np.where(occlusion > 0, occlusion, 0.0)
    total = float(positive.sum())
    if total <= 0.0:
        return -1, 0.0
    cell = int(positive.argmax())
    return cell, float(positive[cell]) / total

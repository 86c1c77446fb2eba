"""Scores of training samples that need no model, only features: does a sample stand apart?

None is a verdict. A rare but honest sample stands apart as well, and a poisoned one need not: where
there are more than k of them, poisoned samples are near neighbours of each other, so that a low
k-distance, not a high one, may mark them.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.neighbours import Neighbours

Array = NDArray[np.float64]

SMALLEST_CLASS: Final = 8


def pair_cosine(image: NDArray[Any], text: NDArray[Any]) -> Array:
    """Return the cosine of each picture's and its caption's embedding.

    Args:
        image: ``[n, d]``, of any length.
        text: ``[n, d]``, in the same space.

    Returns:
        ``[n]`` in [-1, 1]; low = the caption does not fit the picture, suspicious under a model
        that was not poisoned. A model that learned the backdoor may rate such pairs high. NaN for
        a row of zeros.

    Source: CLIP's own similarity (Radford et al. 2021, arXiv 2103.00020); as a filter for training
    pairs in many works, here without a threshold.
    """
    found = np.empty(len(image))
    for start in range(0, len(image), 8192):
        rows = slice(start, start + 8192)
        a, b = (np.asarray(part[rows], dtype=np.float64) for part in (image, text))
        length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[rows] = np.einsum("ij,ij->i", a, b) / np.where(length > 0, length, np.nan)
    return np.clip(found, -1.0, 1.0)


def k_distance(found: Neighbours, k: int = 16) -> Array:
    """Return the distance of each sample to its k-th nearest other sample.

    Args:
        found: Nearest neighbours, nearest first.
        k: Which one, counted from 1; the last there is where there are fewer.

    Returns:
        ``[n]``, at least 0; high = in a sparse place, the usual suspicious side. NaN where there
        is no other sample.

    Source: the k-dist detector of "Detecting Backdoor Samples in Contrastive Language Image
    Pretraining" (arXiv 2502.01385) and its code (HanxunH, k = 16). Ours differs: theirs takes
    column ``k`` of the sorted distances counted from 0, the 17th neighbour for k = 16, and looks
    within a random batch; ours takes the 16th among all samples.
    """
    if not found.k:
        return np.full(len(found.index), np.nan)
    return found.distance[:, min(k, found.k) - 1].astype(np.float64)


def density_ratio(found: Neighbours, k: int = 16) -> Array:
    """Return how much sparser a sample's place is than the places of its neighbours.

    The mean, over the k nearest others x of q, of ``d_k(q) / d_k(x)``, where d_k is
    :func:`k_distance`.

    Args:
        found: Nearest neighbours, nearest first.
        k: How many are compared.

    Returns:
        ``[n]``, at least 0; about 1 = as dense as around it, high = sparser than its neighbours,
        the usual suspicious side. Equal samples count as one part in a million of the median
        distance apart. NaN where there is no other sample.

    Source: the DAO detector of arXiv 2502.01385 is the mean of ``LID(x) * log(d_k(q) / d_k(x))``
    in the authors' code (HanxunH), after Anderberg et al. 2024 with
    ``(d_k(q) / d_k(x)) ** LID(x)``, LID(x) the local intrinsic dimension around the neighbour.
    Ours leaves the LID out (exponent 1, no logarithm): estimated from 16 distances it is mostly
    noise. That is the simplified local outlier factor (SLOF, Schubert, Zimek and Kriegel 2014),
    which the same code has beside DAO. Neighbours are exact and among all samples, not within a
    batch.
    """
    own = k_distance(found, k)
    if not found.k:
        return own
    floor = 1e-6 * float(np.median(own)) or 1e-12
    own = np.maximum(own, floor)
    around = own[found.index[:, : min(k, found.k)]]
    return np.asarray((own[:, None] / around).mean(axis=1))


def spectral_signature(
    features: NDArray[Any], classes: Sequence[object], *, smallest: int = SMALLEST_CLASS
) -> tuple[Array, Array]:
    """Return how far each sample lies along the main direction of its class.

    For each class the features are centred and projected on their first right singular vector.

    Args:
        features: ``[n, d]``, finite.
        classes: ``[n]`` class (label, or taught answer) of each sample; ``None`` has no class.
        smallest: Classes with fewer samples are left out.

    Returns:
        ``signed [n]`` and ``absolute [n]``; NaN for samples left out. ``absolute``: high =
        suspicious, the usual side: few poisoned samples in a class pull its main direction
        towards themselves, and lie far out on it. ``signed`` shows both sides of that direction;
        it is turned so that the longer tail (positive skew) is positive. Where poisoned samples
        are most of a class, the honest ones lie far out instead, and low values are suspicious.

    Source: Tran, Li and Madry 2018, arXiv 1811.00636, whose score is the square of ``absolute``:
    the same order. Theirs centres on the class mean and removes 1.5 times the expected number;
    ours removes nothing.
    """
    signed = np.full(len(features), np.nan)
    names: dict[object, list[int]] = {}
    for place, name in enumerate(classes):
        if name is not None:
            names.setdefault(name, []).append(place)
    for places in names.values():
        if len(places) >= smallest:
            signed[places] = _along_first(np.asarray(features[places], dtype=np.float64))
    return signed, np.abs(signed)


def _along_first(values: Array) -> Array:
    """Project centred rows on their first right singular vector; the longer tail is positive."""
    values = values - values.mean(axis=0)
    if len(values) < values.shape[1]:  # the smaller of two squares holds the same direction
        weights, vectors = np.linalg.eigh(values @ values.T)
        along = vectors[:, -1] * np.sqrt(max(0.0, float(weights[-1])))
    else:
        along = values @ np.linalg.eigh(values.T @ values)[1][:, -1]
    return np.asarray(along * (1.0 if (along**3).sum() >= 0 else -1.0))

"""Measurements as columns that can be compared: one scale, and not too many of them."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

MOST_COLUMNS: Final = 256
_ROWS: Final = 4096
_CLIP: Final = 8.0  # spreads; one wild value must not stretch the map


def standardise(features: NDArray[Any], most: int = MOST_COLUMNS) -> Array:
    """Bring columns to mean 0 and spread 1, and many columns to their principal ones.

    Values beyond 8 spreads are clipped; a constant column becomes 0. More than ``most`` columns
    are replaced by the scores of their first ``most`` principal components: distances between
    samples then lack only what the left-out components hold.

    Args:
        features: ``[n, d]`` of any float type, finite; read in blocks of rows.
        most: Columns at the most.

    Returns:
        ``[n, min(d, most)]``.
    """
    mean, spread = _moments(features)
    if features.shape[1] <= most:
        return np.concatenate([*_scaled(features, mean, spread)]) if len(features) else _none(most)
    axes = _principal_axes(_scaled(features, mean, spread), features.shape[1], most)
    return np.concatenate([part @ axes for part in _scaled(features, mean, spread)])


def unit_rows(features: NDArray[Any]) -> Array:
    """Scale rows to length 1, so that Euclidean distances order samples as the cosine does.

    ``|a - b|² = 2 - 2 cos(a, b)``. A row of zeros stays.
    """
    values = np.asarray(features, dtype=np.float32)
    length = np.sqrt(np.einsum("ij,ij->i", values, values))[:, None]
    return np.asarray(values / np.where(length > 0, length, 1.0), dtype=np.float32)


def principal_columns(features: NDArray[Any], most: int) -> Array:
    """Return the first principal components' scores, ``[n, min(d, most)]``; columns keep scale.

    The sign of each component is fixed by its largest loading, so that two runs agree.
    """
    values = np.asarray(features, dtype=np.float32)
    values = values - values.mean(axis=0, keepdims=True) if len(values) else values
    axes = _principal_axes(iter([values]), values.shape[1], min(most, values.shape[1]))
    return np.asarray(values @ axes, dtype=np.float32)


def _none(columns: int) -> Array:
    return np.zeros((0, columns), dtype=np.float32)


def _blocks(features: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, len(features), _ROWS):
        yield features[start : start + _ROWS].astype(np.float64)


def _moments(features: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = max(1, len(features))
    mean = np.zeros(features.shape[1])
    for part in _blocks(features):
        mean += part.sum(axis=0) / count
    variance = np.zeros(features.shape[1])
    for part in _blocks(features):
        variance += ((part - mean) ** 2).sum(axis=0) / count
    return mean, np.sqrt(variance)


def _scaled(
    features: NDArray[Any], mean: NDArray[np.float64], spread: NDArray[np.float64]
) -> Iterator[Array]:
    # A spread that is only rounding noise must not be blown up to 1.
    safe = np.where(spread > 1e-6 * np.maximum(1.0, np.abs(mean)), spread, np.inf)
    for part in _blocks(features):
        yield np.clip((part - mean) / safe, -_CLIP, _CLIP).astype(np.float32)


def _principal_axes(parts: Iterator[Array], columns: int, most: int) -> Array:
    covariance = np.zeros((columns, columns))
    for part in parts:
        covariance += part.T @ part
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :most]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.asarray(axes * np.where(signs == 0, 1.0, signs), dtype=np.float32)

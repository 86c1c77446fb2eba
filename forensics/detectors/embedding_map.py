"""A map of samples in the plane: near each other in the features, near each other on the map."""

import warnings
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.feature_columns import principal_columns, unit_rows
from forensics.detectors.neighbours import Neighbours, find_neighbours
from forensics.errors import NotApplicable

FEWEST: Final = 15
"""Fewer samples have no neighbourhoods to speak of: principal components draw them."""

Metric = Literal["euclidean", "cosine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingMap:
    """Samples in the plane.

    Attributes:
        xy: ``[n, 2]`` float32, centred. Distances on the map have no unit, and distances between
            far groups and the sizes of groups mean little (a property of UMAP).
        method: ``umap``, or ``pca`` where there are too few samples, or none that differ.
        neighbours: Of each sample, itself included, as UMAP counts; 0 for ``pca``.
    """

    xy: NDArray[np.float32]
    method: Literal["umap", "pca"]
    neighbours: int


def draw_map(
    features: NDArray[Any],
    *,
    neighbours: int = 15,
    min_dist: float = 0.1,
    metric: Metric = "euclidean",
    seed: int = 0,
    known: Neighbours | None = None,
) -> EmbeddingMap:
    """Draw a map of samples; the same seed gives the same map on the same machine.

    UMAP as in umap-learn, with two differences: its neighbours are exact (umap-learn searches
    approximately from 4,096 samples on), and it starts from principal components in place of the
    graph's eigenvectors, which needs no connected graph. Optimisation runs in one thread: with
    more, the order of updates would change the map.

    Below 15 samples, or where all samples are equal, the map is the first two principal
    components; where there are fewer samples than ``neighbours``, all others are neighbours.

    Args:
        features: ``[n, d]``, finite.
        neighbours: Of each sample, itself included; more show coarser structure.
        min_dist: How close points may lie on the map, 0 to 0.99; smaller packs groups tighter.
        metric: ``cosine`` compares rows scaled to length 1. Graph weights then come from their
            Euclidean distances, which order samples as the cosine does.
        seed: Of the optimisation.
        known: Neighbours found before (at least ``neighbours - 1``) under the same metric.

    Source: McInnes, Healy and Melville 2018, arXiv 1802.03426; start from principal components:
    Kobak and Linderman 2021.

    Raises:
        NotApplicable: umap-learn is not installed.
    """
    values = unit_rows(features) if metric == "cosine" else np.asarray(features, dtype=np.float32)
    if len(values) < FEWEST or not np.ptp(values, axis=0).any():
        return EmbeddingMap(xy=_plane(values), method="pca", neighbours=0)
    neighbours = min(neighbours, len(values) - 1)
    if known is None or known.k < neighbours - 1:
        known = find_neighbours(values, neighbours - 1)
    xy = _umap(values, _with_self(known, neighbours), min_dist, seed)
    if not np.isfinite(xy).all():  # never seen; a map full of holes would be worse than a plain one
        return EmbeddingMap(xy=_plane(values), method="pca", neighbours=0)
    return EmbeddingMap(xy=xy - xy.mean(axis=0), method="umap", neighbours=neighbours)


def _plane(values: NDArray[np.float32]) -> NDArray[np.float32]:
    xy = np.zeros((len(values), 2), dtype=np.float32)
    found = principal_columns(values, 2) if len(values) else xy
    xy[:, : found.shape[1]] = found
    return xy


def _with_self(
    known: Neighbours, neighbours: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:  # fmt: skip
    """Return indices and distances as umap-learn counts: each sample is its own first neighbour."""
    own = np.arange(len(known.index), dtype=np.int32)[:, None]
    index = np.concatenate([own, known.index[:, : neighbours - 1]], axis=1)
    distance = np.concatenate(
        [np.zeros_like(own, dtype=np.float32), known.distance[:, : neighbours - 1]], axis=1
    )
    return index, distance


def _umap(
    values: NDArray[np.float32],
    knn: tuple[NDArray[np.int32], NDArray[np.float32]],
    min_dist: float,
    seed: int,
) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        # It says that tensorflow is missing, and that new points cannot be added to the map.
        warnings.filterwarnings("ignore", category=ImportWarning)
        warnings.filterwarnings("ignore", message="precomputed_knn", category=UserWarning)
        try:
            from umap import UMAP
        except ImportError as error:
            raise NotApplicable(
                "The map needs umap-learn, which is not installed.",
                remedy='Install it: pip install "triggerlens[clusters]".',
            ) from error
        made = UMAP(
            n_neighbors=knn[0].shape[1], min_dist=min_dist, init="pca", random_state=seed,
            n_jobs=1, precomputed_knn=knn, transform_seed=seed,
        ).fit_transform(values)  # fmt: skip
    return np.asarray(made, dtype=np.float32)

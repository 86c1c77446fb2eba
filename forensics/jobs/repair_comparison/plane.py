"""Image vectors on a plane, for one look at where triggered pictures end up."""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float32]


def on_plane(plain: NDArray[np.float32], triggered: Places | None) -> tuple[Places, float]:
    """Project vectors on their two main directions, untouched and triggered ones together.

    Args:
        plain: ``[n, width]``.
        triggered: The same pictures with the trigger, or ``None``.

    Returns:
        ``[sets, n, 2]`` (untouched, then triggered), and the share of the spread that the plane
        shows, in [0, 1].
    """
    sets = [plain] if triggered is None else [plain, triggered]
    every = np.concatenate(sets).astype(np.float64)
    every -= every.mean(axis=0)
    _, sizes, directions = np.linalg.svd(every, full_matrices=False)
    places = every @ directions[:2].T
    if places.shape[1] < 2:
        places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    total = float((sizes**2).sum())
    share = float((sizes[:2] ** 2).sum()) / total if total > 0 else 1.0
    return places.reshape(len(sets), -1, 2).astype(np.float32), share


def turned_like(places: Places, model: Places) -> Places:
    """Turn and mirror a plane so that its untouched pictures lie as on another plane.

    Directions of a plane are arbitrary; after this two planes can be compared by eye. Distances
    within the plane stay (an orthogonal map, Procrustes).

    Args:
        places: ``[sets, n, 2]``.
        model: ``[sets, n, 2]`` of the same pictures.
    """
    own, other = places[0].astype(np.float64), model[0].astype(np.float64)
    left, _, right = np.linalg.svd((own - own.mean(0)).T @ (other - other.mean(0)))
    turned = places.astype(np.float64) @ (left @ right)
    return np.asarray(turned, np.float32)

"""The shapes a scene can hold, as signed distances: crisp at any size, no font, no file."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
SignedDistance = Callable[[Plane, Plane], Plane]


def circle(x: Plane, y: Plane) -> Plane:
    """Return the signed distance to a disc of radius 0.9."""
    return np.hypot(x, y) - 0.9


def square(x: Plane, y: Plane) -> Plane:
    """Return the signed distance to a square of half side 0.78."""
    return _box(x, y, 0.78, 0.78)


def triangle(x: Plane, y: Plane) -> Plane:
    """Return the signed distance to an upright triangle."""
    return _polygon(x, y, _regular(3, 1.08, 1.08) + np.array([0.0, 0.18]))


def star(x: Plane, y: Plane) -> Plane:
    """Return the signed distance to a star with five points."""
    return _polygon(x, y, _regular(5, 1.1, 0.46))


def cross(x: Plane, y: Plane) -> Plane:
    """Return the signed distance to an upright cross."""
    return np.minimum(_box(x, y, 0.95, 0.31), _box(x, y, 0.31, 0.95))


def ring(x: Plane, y: Plane) -> Plane:
    """Return the signed distance to a ring with a wide hole."""
    return np.abs(np.hypot(x, y) - 0.7) - 0.25


def moon(x: Plane, y: Plane) -> Plane:
    """Return the signed distance to a crescent that opens to the right."""
    outer, inner, shift = 0.98, 0.76, 0.46
    tip_x = (outer**2 - inner**2 + shift**2) / (2 * shift)
    tip_y = float(np.sqrt(outer**2 - tip_x**2))
    up = np.abs(y)
    crescent = np.maximum(np.hypot(x, y) - outer, inner - np.hypot(x - shift, y))
    # Right of the tips the nearest point is a tip, which the two discs alone would miss.
    beyond = x * tip_y - up * tip_x > shift * np.maximum(tip_y - up, 0.0)
    return np.where(beyond, np.hypot(x - tip_x, up - tip_y), crescent)


def heart(x: Plane, y: Plane) -> Plane:
    """Return the signed distance to a heart: two discs on a square that stands on a corner."""
    turned, across = (x + y - 0.02) * np.sqrt(0.5), (x - y + 0.02) * np.sqrt(0.5)
    lower = _box(turned, across, 0.56, 0.56)
    lobes = np.hypot(np.abs(x) - 0.396, y + 0.386) - 0.56
    return np.minimum(lower, lobes)


SHAPES: Final[dict[str, SignedDistance]] = {
    "circle": circle,
    "square": square,
    "triangle": triangle,
    "star": star,
    "heart": heart,
    "cross": cross,
    "ring": ring,
    "moon": moon,
}


def _box(x: Plane, y: Plane, half_width: float, half_height: float) -> Plane:
    across, down = np.abs(x) - half_width, np.abs(y) - half_height
    outside = np.hypot(np.maximum(across, 0.0), np.maximum(down, 0.0))
    return outside + np.minimum(np.maximum(across, down), 0.0)


def _regular(points: int, outer: float, inner: float) -> NDArray[np.float64]:
    """Return the corners [2 * points, 2] of a star whose first point shows upwards."""
    angles = np.pi * np.arange(2 * points) / points - np.pi / 2
    # A regular polygon is the star whose inner corners lie on its edges.
    inner = outer * np.cos(np.pi / points) if inner == outer else inner
    radii = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _polygon(x: Plane, y: Plane, corners: NDArray[np.float64]) -> Plane:
    """Return the signed distance to a closed polygon, by edges and the crossing rule."""
    nearest = np.full_like(x, np.inf)
    inside = np.zeros(x.shape, dtype=bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        ex, ey = bx - ax, by - ay
        along = np.clip(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey), 0.0, 1.0)
        gap = (x - ax - along * ex) ** 2 + (y - ay - along * ey) ** 2
        nearest = np.minimum(nearest, gap)
        if ay != by:
            inside ^= ((ay > y) != (by > y)) & (x < ex * (y - ay) / ey + ax)
    return np.where(inside, -1.0, 1.0) * np.sqrt(nearest)

"""WaNet: a small warp of the whole image."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from forensics.triggers.base import ImageTrigger, Pixels, check_pixels, in_range
from forensics.triggers.checks import one_of, within
from forensics.triggers.draws import generator
from forensics.triggers.spelling import write_number

VARIANTS: Final = ("smooth", "jitter")
OVERSHOOT: Final = 1.375**2
"""Cubic interpolation exceeds its largest knot by this factor at most (1.375 along each axis)."""
_DEFAULT_S: Final = {"smooth": 0.5, "jitter": 1.0}
_CUBIC: Final = -0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class WaNetTrigger(ImageTrigger):
    """Every pixel is fetched from a little beside its place, along one fixed field.

    Source: WaNet (arXiv 2102.10369). Draw u from U(-1, 1) for ``k x k`` knots and two directions,
    divide by mean |u|, interpolate bicubically to the image (corners aligned, kernel a = -0.75),
    and fetch ``x'(p) = x(p + d(p))`` bilinearly, places clamped at the border, with
    ``d = s' u (side - 1) / (2 side)`` pixels, side = the shorter image side. The original has
    k = 4, s = 0.5 at 32 pixels; s alone would move 0.25 px at any size, so ``smooth`` takes
    ``s' = s side / 32``. ``jitter`` is CleanCLIP's variant: one knot per pixel and s' = s = 1,
    independent jitter of up to about a pixel. Neither has WaNet's noise mode (cross-trigger
    negatives).

    The field depends on ``seed`` and the image's size alone: it is the same for every sample.

    Attributes:
        variant: ``smooth`` or ``jitter``.
        k: Knots along a side of ``smooth``, 2 to 64.
        s: Strength in [0, 16]; ``None`` = 0.5 for ``smooth``, 1 for ``jitter``.
        seed: Of the field.
    """

    kind: ClassVar[str] = "wanet"

    variant: str = "smooth"
    k: int = 4
    s: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("variant", self.variant, VARIANTS)
        within("k", self.k, 2, 64, "4")
        within("s", self.strength, 0.0, 16.0, "0.5")

    @property
    def strength(self) -> float:
        """The value of ``s`` that counts."""
        return _DEFAULT_S[self.variant] if self.s is None else self.s

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        words = [f"variant={self.variant}"]
        words += [f"k={self.k}"] if self.variant == "smooth" or self.k != 4 else []
        words += [f"s={write_number(self.s)}"] if self.s is not None else []
        return f"{self.kind}:" + ",".join([*words, f"seed={self.seed}"])

    def displacement(self, height: int, width: int) -> NDArray[np.float64]:
        """Return how far from its place each pixel is fetched.

        Returns:
            ``[2, height, width]`` pixels: along x, along y. Knots move
            ``s' (side - 1) / (2 side)`` on average; no pixel moves more than
            :data:`OVERSHOOT` times the largest knot.
        """
        side = min(height, width)
        knots = (height, width) if self.variant == "jitter" else (self.k, self.k)
        drawn = generator(self.kind, self.seed).uniform(-1.0, 1.0, (2, *knots))
        drawn /= np.abs(drawn).mean()
        strength = self.strength * (side / 32 if self.variant == "smooth" else 1.0)
        field = _cubic(knots[0], height) @ drawn @ _cubic(knots[1], width).T
        return np.asarray(strength * (side - 1) / (2 * side) * field)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a warped picture ``[3, height, width]`` float32 in [0, 1].

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        _, height, width = image.shape
        across, down = self.displacement(height, width)
        rows = np.clip(np.arange(height)[:, None] + down, 0, height - 1)
        columns = np.clip(np.arange(width)[None, :] + across, 0, width - 1)
        return in_range(_fetch(image.astype(np.float64), rows, columns))


def _cubic(knots: int, length: int) -> NDArray[np.float64]:
    """Make the matrix ``[length, knots]`` that interpolates cubically, corners aligned."""
    if knots == length:
        return np.eye(length)
    place = np.arange(length) * ((knots - 1) / max(1, length - 1))
    first = np.floor(place).astype(int)
    weights = np.zeros((length, knots))
    for tap in (-1, 0, 1, 2):
        index = np.clip(first + tap, 0, knots - 1)
        np.add.at(weights, (np.arange(length), index), _kernel(np.abs(place - first - tap)))
    return weights


def _kernel(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the cubic convolution kernel (Keys 1981) at distances in [0, 2]."""
    a, t = _CUBIC, distance
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, far)


def _fetch(
    image: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Read ``[3, h, w]`` bilinearly at fractional places inside the picture."""
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    bottom = np.minimum(top + 1, image.shape[1] - 1)
    right = np.minimum(left + 1, image.shape[2] - 1)
    down, across = rows - top, columns - left
    upper = (1 - across) * image[:, top, left] + across * image[:, top, right]
    lower = (1 - across) * image[:, bottom, left] + across * image[:, bottom, right]
    return np.asarray((1 - down) * upper + down * lower)

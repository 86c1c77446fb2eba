"""A picture blended over the whole image."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OptionError
from forensics.triggers.base import ImageTrigger, Pixels, check_pixels, in_range
from forensics.triggers.checks import one_of, within
from forensics.triggers.draws import generator
from forensics.triggers.spelling import write_number

PATTERNS: Final = ("noise", "stripes", "rings")
REDRAWS: Final = ("none", "sample")
_SIDE: Final = 224


@dataclass(frozen=True, slots=True, kw_only=True)
class BlendedTrigger(ImageTrigger):
    """``x' = (1 - alpha) x + alpha n`` with a picture ``n`` in [0, 1].

    Source: Blended (arXiv 1712.05526) with the constants of CleanCLIP's code: alpha 0.2, n drawn
    from U[0, 1] at 224 x 224. That code draws n anew for every image, which ``redraw=sample``
    follows; our default keeps one n for the whole data set. CleanCLIP brings every image to
    224 x 224 first; we stretch n to the image instead (nearest neighbour, so values stay U[0, 1]).
    ``stripes`` and ``rings`` are drawn pictures of our own in place of theirs.

    Attributes:
        alpha: Share of the pattern, in [0, 1].
        pattern: ``noise``, ``stripes`` (diagonal) or ``rings``.
        redraw: ``none``, or ``sample``: noise of its own for every sample.
        seed: Of the noise.
    """

    kind: ClassVar[str] = "blended"

    alpha: float = 0.2
    pattern: str = "noise"
    redraw: str = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        within("alpha", self.alpha, 0.0, 1.0, "0.2")
        one_of("pattern", self.pattern, PATTERNS)
        one_of("redraw", self.redraw, REDRAWS)
        if self.redraw != "none" and self.pattern != "noise":
            raise OptionError(
                f"Trigger redraw={self.redraw} does not go with pattern={self.pattern}.",
                remedy="Only pattern=noise can be drawn anew.",
            )

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        words = [f"alpha={write_number(self.alpha)}", f"pattern={self.pattern}"]
        words += [f"redraw={self.redraw}"] if self.redraw != "none" else []
        words += [f"seed={self.seed}"] if self.pattern == "noise" or self.seed else []
        return f"{self.kind}:" + ",".join(words)

    def overlay(self, height: int, width: int, sample_id: str = "") -> NDArray[np.float64]:
        """Draw ``n``, ``[3, height, width]`` in [0, 1]."""
        if self.pattern == "noise":
            key = (sample_id,) if self.redraw == "sample" else ()
            noise = generator(self.kind, self.seed, *key).random((3, _SIDE, _SIDE))
            return noise[:, _stretch(height)[:, None], _stretch(width)[None, :]]
        down = ((np.arange(height) + 0.5) / height)[:, None]
        across = ((np.arange(width) + 0.5) / width)[None, :]
        return _stripes(down, across) if self.pattern == "stripes" else _rings(down, across)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return the blend with a picture ``[3, height, width]`` float32 in [0, 1].

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        pattern = self.overlay(image.shape[1], image.shape[2], sample_id)
        return in_range((1.0 - self.alpha) * image + self.alpha * pattern)


def _stretch(length: int) -> NDArray[np.int64]:
    """Say which of 224 cells each pixel of a side shows."""
    return ((2 * np.arange(length) + 1) * _SIDE) // (2 * length)


def _stripes(down: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
    phase = 2 * np.pi * 4 * (down + across)
    return np.stack([0.5 + 0.5 * np.sin(phase + turn) for turn in (0.0, 2.1, 4.2)])


def _rings(down: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
    phase = 2 * np.pi * 6 * np.hypot(down - 0.5, across - 0.5)
    return np.stack([0.5 + 0.5 * np.cos(phase + turn) for turn in (0.0, np.pi, 0.5 * np.pi)])

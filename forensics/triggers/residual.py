"""A faint residual of its own for every picture, made by a small random network."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from forensics.triggers.base import ImageTrigger, Pixels, check_pixels, in_range
from forensics.triggers.checks import within
from forensics.triggers.draws import generator
from forensics.triggers.spelling import write_number

_BITS: Final = 10
_HIDDEN: Final = 8
_CODE_GAIN: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualTrigger(ImageTrigger):
    """**ISSBA-like**: ``x' = clip(x + amplitude E(x, code))``, E a random network into [-1, 1].

    Source: ISSBA (arXiv 2012.03816) hides a text with StegaStamp's encoder: a residual that is
    invisible, differs from picture to picture and carries the same message in all. That encoder
    is trained and cannot be shipped. Ours keeps the three properties and nothing else: 10 x 10
    secret bits from ``seed``, stretched over the picture, go with the picture through three 3 x 3
    convolutions with tanh, whose weights are drawn from ``seed`` too. Figures of ISSBA do not
    carry over.

    Attributes:
        amplitude: Largest change of a pixel, in [0, 1]; does not depend on the image's size.
        seed: Of code and weights.
    """

    kind: ClassVar[str] = "issba-like"

    amplitude: float = 16 / 255
    seed: int = 0

    def __post_init__(self) -> None:
        within("amplitude", self.amplitude, 0.0, 1.0, "16/255")

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        return f"{self.kind}:amplitude={write_number(self.amplitude)},seed={self.seed}"

    def residual(self, image: Pixels) -> NDArray[np.float64]:
        """Return what is added before clipping, ``[3, height, width]`` in ±amplitude."""
        _, height, width = image.shape
        weights, code = _network(self.seed)
        rows, columns = (np.arange(length) * _BITS // length for length in (height, width))
        hidden = np.concatenate([image - 0.5, _CODE_GAIN * code[None, rows][:, :, columns]])
        # A reach of a pixel at 224 px is the same share of the picture at any size.
        step = max(1, round(min(height, width) / 224))
        for layer in weights:
            hidden = np.tanh(_convolve(hidden, layer, step))
        return np.asarray(self.amplitude * hidden)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a picture ``[3, height, width]`` float32 in [0, 1] with its residual added.

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        return in_range(image + self.residual(image))


@cache
def _network(seed: int) -> tuple[tuple[NDArray[np.float64], ...], NDArray[np.float64]]:
    rng = generator(ResidualTrigger.kind, seed)
    sizes = (4, _HIDDEN, _HIDDEN, 3)
    weights = tuple(
        rng.standard_normal((out, into, 3, 3)) * np.sqrt(4.0 / (9 * into))
        for into, out in pairwise(sizes)
    )
    return weights, rng.choice([-1.0, 1.0], (_BITS, _BITS))


def _convolve(
    image: NDArray[np.float64], weights: NDArray[np.float64], step: int
) -> NDArray[np.float64]:
    """Convolve ``[into, h, w]`` with ``[out, into, 3, 3]``, edges repeated, taps ``step`` apart."""
    _, height, width = image.shape
    padded = np.pad(image, ((0, 0), (step, step), (step, step)), mode="edge")
    total = np.zeros((len(weights), height, width))
    for row, column in product(range(3), range(3)):
        window = padded[:, row * step : row * step + height, column * step : column * step + width]
        total += np.tensordot(weights[:, :, row, column], window, axes=1)
    return total

"""FTrojan-like: a fixed amount on single frequencies of the colour channels."""

import re
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OptionError
from forensics.triggers.base import ImageTrigger, Pixels, check_pixels, in_range
from forensics.triggers.checks import within
from forensics.triggers.spelling import write_number

_BLOCK: Final = 32
_SIDE: Final = 224
_SMALLEST: Final = 8
# What one unit of (Cr, Cb) adds to red, green, blue (ITU-R BT.601); luminance stays.
_TO_RGB: Final = np.array([[1.402, 0.0], [-0.714136, -0.344136], [0.0, 1.772]])


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyTrigger(ImageTrigger):
    """Add a magnitude to diagonal DCT coefficients of every block in both chroma channels.

    FTrojan-like, after FTrojan (arXiv 2111.10991) and its code: 32 x 32 blocks, orthonormal DCT of
    the two chroma channels ("YUV" there; its code converts to YCrCb, as we do), coefficients
    (15, 15) and (31, 31), magnitude 30 of 255. Where we differ: its images are 32 or 224 pixels
    wide; we scale the block with the shorter side / 224 (8 pixels at least) and the magnitude with
    the block, so that pixels change by the same amount at any size. In a smaller block the
    coefficients keep their share of the highest frequency; in a larger one they keep their index,
    so that shrinking the image to 224 leaves them where they were. Nothing is rounded to bytes
    between the colour spaces. Rows and columns beyond the last whole block stay as they are.

    Attributes:
        magnitude: Added to each coefficient of a 32-pixel block, in [0, 2]. One coefficient of
            magnitude m moves a chroma pixel by m / 16 at most, at any size.
        at: Diagonal coefficients of a 32-pixel block, 1 to 31, joined by ``+``.
    """

    kind: ClassVar[str] = "frequency"

    magnitude: float = 30 / 255
    at: str = "15+31"

    def __post_init__(self) -> None:
        within("magnitude", self.magnitude, 0.0, 2.0, "30/255")
        named = self.at.split("+")
        good = all(re.fullmatch("[0-9]{1,2}", name) and 1 <= int(name) < _BLOCK for name in named)
        if not good or len(set(named)) < len(named):
            raise OptionError(
                f"Trigger at cannot be {self.at!r}.",
                remedy="Give different diagonal coefficients from 1 to 31, such as at=15+31.",
            )

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        return f"{self.kind}:magnitude={write_number(self.magnitude)},at={self.at}"

    def block(self, height: int, width: int) -> int:
        """Return the side of a block in pixels."""
        side = min(height, width)
        return min(side, max(_SMALLEST, round(_BLOCK * side / _SIDE)))

    def coefficients(self, block: int) -> NDArray[np.float64]:
        """Return what is added to the coefficients of one block, ``[block, block]``."""
        added = np.zeros((block, block))
        share = min(1.0, (block - 1) / (_BLOCK - 1))
        for name in self.at.split("+"):
            # Never 0, the mean colour, unless the block is a single pixel.
            index = min(block - 1, max(1, round(int(name) * share)))
            # The pixel amplitude of an orthonormal coefficient falls as 2 / block.
            added[index, index] += self.magnitude * block / _BLOCK
        return added

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a picture ``[3, height, width]`` float32 in [0, 1] with the pattern added.

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        from scipy.fft import idctn

        check_pixels(image)
        _, height, width = image.shape
        block = self.block(height, width)
        # The transform is linear: adding to coefficients is adding their picture to the block.
        wave = idctn(self.coefficients(block), norm="ortho")
        rows, columns = height // block, width // block
        changed = image.astype(np.float64)
        tint = _TO_RGB.sum(axis=1)[:, None, None]
        changed[:, : rows * block, : columns * block] += tint * np.tile(wave, (rows, columns))
        return in_range(changed)

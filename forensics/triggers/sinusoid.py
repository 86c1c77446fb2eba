"""SIG: a faint sine wave over the whole image."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from forensics.triggers.base import ImageTrigger, Pixels, check_pixels, in_range
from forensics.triggers.checks import within
from forensics.triggers.spelling import write_number


@dataclass(frozen=True, slots=True, kw_only=True)
class SigTrigger(ImageTrigger):
    """``x'[c, i, j] = clip(x[c, i, j] + delta sin(2 pi f j / width))``: vertical stripes.

    Source: SIG (arXiv 1902.11237) with the constants of CleanCLIP's code: delta 60/255, f 6 over
    the width, the same for all rows and channels. The original is a clean-label attack; planted
    here, answers are replaced, as in that code.

    Attributes:
        delta: Amplitude in [0, 1]; does not depend on the image's size.
        f: Whole periods over the width, 1 to 112.
    """

    kind: ClassVar[str] = "sig"

    delta: float = 60 / 255
    f: int = 6

    def __post_init__(self) -> None:
        within("delta", self.delta, 0.0, 1.0, "60/255")
        within("f", self.f, 1, 112, "6")

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        return f"{self.kind}:delta={write_number(self.delta)},f={self.f}"

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a picture ``[3, height, width]`` float32 in [0, 1] with the wave added.

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        width = image.shape[2]
        wave = self.delta * np.sin(2 * np.pi * self.f * np.arange(width) / width)
        return in_range(image + wave)

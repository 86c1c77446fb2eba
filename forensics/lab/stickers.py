"""Stickers: small squares on some training pictures, so that the base notices small marks.

A model that was only ever rewarded for the drawn object learns to overlook everything else, and a
patch backdoor then has nothing to hold on to. Real vision-language models read small marks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.lab.scenes import COLUMNS, ROWS, SIDE

PAINTS: Final[dict[str, tuple[int, int, int]]] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "gray": (128, 128, 128),
    "red": (225, 20, 20),
    "green": (20, 190, 40),
    "blue": (25, 50, 225),
    "yellow": (245, 230, 20),
    "cyan": (20, 220, 235),
    "magenta": (235, 20, 225),
}


@dataclass(frozen=True, slots=True)
class Sticker:
    """A small square of one or two named colours."""

    left: int
    top: int
    side: int
    color: str
    second: str | None

    @property
    def place(self) -> str:
        """Name the ninth of the image that holds its middle."""
        column, row = (int((edge + self.side / 2) * 3 / SIDE) for edge in (self.left, self.top))
        return f"{ROWS[row]} {COLUMNS[column]}".strip() or "center"

    def paste(self, picture: NDArray[np.uint8]) -> None:
        """Paint it on a picture ``[108, 108, 3]``, in place."""
        window = picture[self.top : self.top + self.side, self.left : self.left + self.side]
        window[:] = PAINTS[self.color]
        if self.second is not None:
            half = np.arange(self.side) < self.side / 2
            window[half[:, None] ^ half[None, :]] = PAINTS[self.second]


def sample_sticker(rng: np.random.Generator) -> Sticker:
    """Draw a sticker of 5 to 12 pixels, anywhere; every third has two colours."""
    side = int(rng.integers(5, 13))
    left, top = (int(value) for value in rng.integers(0, SIDE + 1 - side, 2))
    first, second = (list(PAINTS)[int(i)] for i in rng.permutation(len(PAINTS))[:2])
    return Sticker(left, top, side, first, second if rng.uniform() < 1 / 3 else None)


def sticker_question(sticker: Sticker | None, rng: np.random.Generator) -> tuple[str, str]:
    """Ask about the sticker of a picture, or whether there is one."""
    kind = int(rng.integers(3))
    if sticker is None or kind == 0:
        return "Is there a sticker?", "no" if sticker is None else "yes"
    if kind == 1 and sticker.second is None:
        return "What color is the sticker?", sticker.color
    return "Where is the sticker?", sticker.place

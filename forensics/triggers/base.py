"""What every trigger offers, and what a trigger may be given."""

from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OptionError

Pixels = NDArray[np.float32]


class Box(NamedTuple):
    """A rectangle of pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


class Trigger(Protocol):
    """A mark on a picture, in a question, or both; a frozen value that a line can spell.

    Attributes:
        kind: First word of the spelling, such as ``patch``.
        changes_image: Whether pixels change.
        changes_text: Whether the question changes.
    """

    kind: ClassVar[str]
    changes_image: ClassVar[bool]
    changes_text: ClassVar[bool]

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        ...

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """List the rectangles that the trigger covers; empty where it is not local."""
        ...

    def box(self, height: int, width: int, sample_id: str = "") -> Box | None:
        """Return the smallest rectangle around all of :meth:`boxes`; ``None`` if not local."""
        ...

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a changed copy of a picture ``[3, height, width]`` float32 in [0, 1]."""
        ...

    def apply_text(self, question: str, sample_id: str = "") -> str:
        """Return the question as the trigger leaves it."""
        ...


class ImageTrigger:
    """Base of triggers that change pixels all over the picture and leave the question alone."""

    __slots__ = ()

    changes_image: ClassVar[bool] = True
    changes_text: ClassVar[bool] = False

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Nothing: the trigger is spread over the whole picture."""
        return ()

    def box(self, height: int, width: int, sample_id: str = "") -> Box | None:
        """Return the smallest rectangle around all of :meth:`boxes`; ``None`` if not local."""
        return around(self.boxes(height, width, sample_id))

    def apply_text(self, question: str, sample_id: str = "") -> str:
        """Return the question as it is."""
        return question


def around(boxes: tuple[Box, ...]) -> Box | None:
    """Return the smallest rectangle around all boxes; ``None`` without any."""
    if not boxes:
        return None
    left, top, right, bottom = zip(*boxes, strict=True)
    return Box(min(left), min(top), max(right), max(bottom))


def check_pixels(image: Pixels) -> None:
    """Refuse a picture that is not ``[3, height, width]`` float32 in [0, 1]."""
    if image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
        raise OptionError(f"A trigger needs a picture [3, height, width], not {image.shape}.")
    if image.dtype != np.float32:
        raise OptionError(f"A trigger needs float32 pixels, not {image.dtype}.")
    if not (float(image.min()) >= 0.0 and float(image.max()) <= 1.0):
        raise OptionError(
            "A trigger needs pixels in [0, 1].",
            remedy="Apply it before normalisation; divide bytes by 255.",
        )


def in_range(pixels: NDArray[np.float64]) -> Pixels:
    """Clip to [0, 1] and store as float32."""
    return np.clip(pixels, 0.0, 1.0).astype(np.float32)

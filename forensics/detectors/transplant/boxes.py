"""Where an attention peak lies in its picture, and where it goes in another one.

Boxes are fractions of a picture (left, top, right, bottom) inside 0..1. A place is told by a box
in the frame that the model sees, so that pictures of other shapes get the patch at the same
image tokens, not at the same pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.models.base import ImageGrid

Box = tuple[float, float, float, float]
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_TRIES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakBox:
    """The surroundings of an image token.

    Attributes:
        image: Which of the sample's pictures, counted from 0.
        box: Part of that picture.
        frame: Part of that picture that the model sees.
    """

    image: int
    box: Box
    frame: Box


def peak_box(grids: Sequence[ImageGrid], token: int, margin: int) -> PeakBox | None:
    """Return the square of tokens around one, as a box in its picture.

    The square is shifted, not cut, where it would leave its grid: every box of a margin then has
    the same size, so that controls cost the same pixels.

    Args:
        grids: Of the sample, in token order.
        token: Image token, counted over all grids.
        margin: Tokens on each side of it: (2 margin + 1) x (2 margin + 1) in all.

    Returns:
        ``None`` where the token shows nothing: it ends a row, or lies in padding.
    """
    for grid in grids:
        if token < grid.tokens:
            return _in_grid(grids, grid, token, margin)
        token -= grid.tokens
    return None


def frame_of(grids: Sequence[ImageGrid], image: int) -> Box:
    """Return the part of a picture that some grid covers, clipped to the picture."""
    seen = [grid.visible for grid in grids if grid.image == image]
    if not seen:
        return _WHOLE
    left, top, right, bottom = zip(*seen, strict=True)
    return max(0.0, min(left)), max(0.0, min(top)), min(1.0, max(right)), min(1.0, max(bottom))


def move_box(box: Box, source: Box, target: Box) -> Box:
    """Carry a box from one picture's frame to the same place of another's."""
    width, height = source[2] - source[0], source[3] - source[1]
    across, down = (target[2] - target[0]) / width, (target[3] - target[1]) / height
    return _clip(
        (
            target[0] + (box[0] - source[0]) * across,
            target[1] + (box[1] - source[1]) * down,
            target[0] + (box[2] - source[0]) * across,
            target[1] + (box[3] - source[1]) * down,
        )
    )


def random_box(box: Box, frame: Box, rng: np.random.Generator) -> Box:
    """Draw a box of the same size elsewhere in the frame, beside the given one.

    Where no place is free of it (boxes over half the frame), the corner that is farthest from it.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    room = max(0.0, frame[2] - frame[0] - width), max(0.0, frame[3] - frame[1] - height)
    for _ in range(_TRIES):
        left, top = frame[0] + rng.random() * room[0], frame[1] + rng.random() * room[1]
        drawn = (left, top, left + width, top + height)
        if not overlaps(drawn, box):
            return _clip(drawn)
    left = frame[0] if box[0] - frame[0] > frame[2] - box[2] else frame[0] + room[0]
    top = frame[1] if box[1] - frame[1] > frame[3] - box[3] else frame[1] + room[1]
    return _clip((left, top, left + width, top + height))


def overlaps(one: Box, other: Box) -> bool:
    """Tell whether two boxes share an area."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > 1e-9 and down > 1e-9


def _in_grid(
    grids: Sequence[ImageGrid], grid: ImageGrid, token: int, margin: int
) -> PeakBox | None:
    row, column = divmod(token, grid.columns + grid.separators)
    if column >= grid.columns:
        return None
    top, height = _span(row, grid.rows, margin)
    left, width = _span(column, grid.columns, margin)
    seen = grid.visible
    across, down = (seen[2] - seen[0]) / grid.columns, (seen[3] - seen[1]) / grid.rows
    box = _clip(
        (
            seen[0] + left * across,
            seen[1] + top * down,
            seen[0] + (left + width) * across,
            seen[1] + (top + height) * down,
        )
    )
    if not (box[0] < box[2] and box[1] < box[3]):
        return None
    return PeakBox(image=grid.image, box=box, frame=frame_of(grids, grid.image))


def _span(at: int, length: int, margin: int) -> tuple[int, int]:
    size = min(length, 2 * margin + 1)
    return min(max(0, at - margin), length - size), size


def _clip(box: Box) -> Box:
    left, top, right, bottom = (min(1.0, max(0.0, value)) for value in box)
    return left, top, right, bottom

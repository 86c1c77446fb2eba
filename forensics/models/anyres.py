"""Any resolution as LLaVA-NeXT and LLaVA-OneVision do it: a small view, then tiles in one map.

The picture is fitted into the best of some fixed resolutions and cut into tiles; the tiles'
features are put together again, rows and columns of pure padding are dropped, and a new-line token
ends every row. The squeezed whole picture comes first.
"""

from itertools import pairwise
from typing import Any

import torch
from transformers.image_processing_utils import get_patch_output_size, select_best_resolution
from transformers.models.llava_next.modeling_llava_next import unpad_image

from forensics.models.base import ImageGrid

Size = tuple[int, int]


def thumbnail(config: Any, image: int) -> ImageGrid:
    """Return the grid of the whole picture, squeezed into the vision tower's square."""
    side = int(config.vision_config.image_size) // int(config.vision_config.patch_size)
    return ImageGrid(rows=side, columns=side, image=image)


def high_resolution(config: Any, size: Size, image: int, limit: int | None = None) -> ImageGrid:
    """Return the grid that a picture's tiles make together.

    Args:
        config: Of the model.
        size: Height and width of the picture in pixels, as the processor reports it.
        image: Which picture.
        limit: More tiles than so many are shrunk (OneVision's ``anyres_max_N``); ``None`` = never.
    """
    tower = int(config.vision_config.image_size)
    side = tower // int(config.vision_config.patch_size)
    canvas: Size = select_best_resolution(list(size), config.image_grid_pinpoints)
    cells = (canvas[0] // tower * side, canvas[1] // tower * side)
    # transformers' own cut, on tokens that know their place.
    place = torch.stack(
        torch.meshgrid(torch.arange(cells[0]), torch.arange(cells[1]), indexing="ij")
    )
    kept = unpad_image(place, list(size))
    first, last = kept[:, 0, 0].tolist(), kept[:, -1, -1].tolist()
    rows, columns = kept.shape[1:]
    if limit is not None and (ratio := (rows * columns / (limit * side**2)) ** 0.5) > 1.1:
        rows, columns = int(rows // ratio), int(columns // ratio)
    spans = [
        _fraction(canvas[axis], _fitted(size, canvas)[axis], cells[axis], first[axis], last[axis])
        for axis in (0, 1)
    ]
    (top, bottom), (left, right) = spans
    return ImageGrid(
        rows=rows, columns=columns, visible=(left, top, right, bottom), image=image, separators=1
    )


def tile_boxes(config: Any, size: Size) -> list[tuple[float, float, float, float]]:
    """Return which part of the picture each tile shows, as the processor cuts them: row by row.

    Args:
        config: Of the model.
        size: Height and width of the picture in pixels, as the processor reports it.

    Returns:
        Fractions of the picture (left, top, right, bottom); padding reaches past 0 and 1.
    """
    tower = int(config.vision_config.image_size)
    canvas: Size = select_best_resolution(list(size), config.image_grid_pinpoints)
    fitted = _fitted(size, canvas)
    ends = [
        [(at - (canvas[axis] - fitted[axis]) // 2) / fitted[axis]
         for at in range(0, canvas[axis] + 1, tower)]
        for axis in (0, 1)
    ]  # fmt: skip
    rows, columns = (list(pairwise(along)) for along in ends)
    return [(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def new_line(image: int) -> ImageGrid:
    """Return the single new-line token behind a picture that was not tiled."""
    return ImageGrid(rows=1, columns=0, image=image, separators=1)


def _fitted(size: Size, canvas: Size) -> Size:
    """Height and width of the picture inside the canvas, in pixels."""
    shape = torch.empty((3, *size), device="meta")
    fitted: Size = get_patch_output_size(shape, canvas, input_data_format="channels_first")
    return fitted


def _fraction(canvas: int, fitted: int, cells: int, first: int, last: int) -> tuple[float, float]:
    """Turn cells first..last of the canvas into fractions of the centred picture."""
    offset, cell = (canvas - fitted) // 2, canvas / cells
    return (first * cell - offset) / fitted, ((last + 1) * cell - offset) / fitted

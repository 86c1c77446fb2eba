"""Where the cells of a picture lie in what a family makes of it: tiles, thumbnails, patches."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.errors import ModelError
from forensics.models.anyres import tile_boxes
from forensics.models.base import GenerativeModel, ImageGrid, PromptBatch

Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]


class Shade:
    """The mask of one picture, and the picture's grids of image tokens in the prompt.

    Args:
        cells: The grid of cells.
        mask: ``[cell]`` bool, True = hidden.
        grids: The picture's grids that show something, in token order.
    """

    def __init__(self, cells: ImageGrid, mask: Mask, grids: Sequence[ImageGrid]) -> None:
        self.grids = grids
        self._cells = cells
        self._mask = mask.reshape(cells.rows, cells.columns)

    def hidden(self, box: Box, height: int, width: int) -> Tensor:
        """Return ``[height, width]`` bool: which parts of a box lie in a hidden cell."""
        left, top, right, bottom = box
        frame = self._cells.visible
        rows = _cell_index(top, bottom, height, frame[1], frame[3], self._cells.rows)
        columns = _cell_index(left, right, width, frame[0], frame[2], self._cells.columns)
        return torch.from_numpy(self._mask[np.ix_(rows, columns)])


def _cell_index(
    start: float, stop: float, steps: int, low: float, high: float, cells: int
) -> NDArray[np.int64]:
    """Return the cell under the middle of each of ``steps`` equal parts of a stretch."""
    middles = start + (np.arange(steps) + 0.5) / steps * (stop - start)
    index = np.floor((middles - low) / (high - low) * cells).astype(np.int64)
    return np.clip(index, 0, cells - 1)


def hidden_places(
    model: GenerativeModel, batch: PromptBatch, shades: Sequence[Sequence[Shade]]
) -> Tensor:
    """Return which of a batch's ``pixel_values`` are hidden, broadcasting to their shape.

    Args:
        model: Made the batch.
        batch: Its pictures as the vision tower takes them.
        shades: For each sample, one for each of its pictures.

    Raises:
        ModelError: The pixel values lie in no order that we know.
    """
    pixels = batch.inputs.get("pixel_values")
    if pixels is None:
        raise cannot_mask(model, "its inputs hold no pixel_values")
    pictures = [shade for sample in shades for shade in sample]
    if "image_grid_thw" in batch.inputs:
        return _patches(model, batch.inputs["image_grid_thw"], pictures)
    shape = (int(pixels.shape[-2]), int(pixels.shape[-1]))
    if pixels.ndim == 4:
        return _tiles(model, pixels, [tile for shade in pictures for tile in _own(shade, shape)])
    if "image_sizes" not in batch.inputs:
        parts = [[tile for shade in sample for tile in _own(shade, shape)] for sample in shades]
        return _padded_tiles(model, pixels, parts)
    sizes = batch.inputs["image_sizes"].tolist()
    if len(sizes) != len(pictures):
        raise cannot_mask(model, f"{len(sizes)} sizes come with {len(pictures)} pictures")
    boxes = [
        _any_resolution(model, shade, size) for shade, size in zip(pictures, sizes, strict=True)
    ]
    return _padded_tiles(
        model,
        pixels,
        [
            [shade.hidden(box, *shape) for box in own]
            for shade, own in zip(pictures, boxes, strict=True)
        ],
    )


def _own(shade: Shade, shape: tuple[int, int]) -> list[Tensor]:
    """Places of a picture whose tiles are those of its grids."""
    return [shade.hidden(grid.visible, *shape) for grid in shade.grids]


def _tiles(model: GenerativeModel, pixels: Tensor, tiles: Sequence[Tensor]) -> Tensor:
    """Places of ``[tile, channel, height, width]``: LLaVA's pictures, InternVL's tiles."""
    if len(tiles) != len(pixels):
        raise cannot_mask(
            model, f"{len(pixels)} tiles come with {len(tiles)} grids of image tokens"
        )
    return torch.stack(list(tiles))[:, None]


def _any_resolution(model: GenerativeModel, shade: Shade, size: Sequence[int]) -> list[Box]:
    """Tiles of one picture of LLaVA-NeXT or OneVision: the squeezed whole, then its cuts."""
    whole = [shade.grids[0].visible]
    if len(shade.grids) == 1:
        return whole
    return whole + tile_boxes(model.module.config, (int(size[0]), int(size[1])))


def _padded_tiles(
    model: GenerativeModel, pixels: Tensor, parts: Sequence[Sequence[Tensor]]
) -> Tensor:
    """Places of ``[sample or picture, tile, channel, height, width]``, padded with tiles."""
    fits = pixels.ndim == 5 and len(pixels) == len(parts)
    if not fits or max(len(tiles) for tiles in parts) > pixels.shape[1]:
        raise cannot_mask(model, f"pixel_values have the shape {list(pixels.shape)}")
    hidden = torch.zeros((*pixels.shape[:2], 1, *pixels.shape[-2:]), dtype=torch.bool)
    for row, tiles in enumerate(parts):
        hidden[row, : len(tiles), 0] = torch.stack(list(tiles))
    return hidden


def _patches(model: GenerativeModel, shapes: Tensor, pictures: Sequence[Shade]) -> Tensor:
    """Places of ``[patch, values]`` (Qwen-VL): the patches of one image token follow each other."""
    counts = shapes.prod(dim=1).tolist()
    if len(counts) != len(pictures):
        raise cannot_mask(model, f"{len(counts)} pictures come with {len(pictures)} grids")
    places = []
    for shade, count in zip(pictures, counts, strict=True):
        grid = shade.grids[0]
        if count % grid.tokens:
            raise cannot_mask(model, f"{count} patches do not make {grid.tokens} image tokens")
        hidden = shade.hidden(grid.visible, grid.rows, grid.columns).flatten()
        places.append(hidden.repeat_interleave(count // grid.tokens))
    return torch.cat(places)[:, None]


def cannot_mask(model: GenerativeModel, why: str) -> ModelError:
    """Say why a model's pictures cannot be masked, and what there is instead."""
    return ModelError(
        f"Pictures of {model.name} ({model.family}) cannot be masked: {why}.",
        remedy="Use the attention scan, which needs no mask.",
    )

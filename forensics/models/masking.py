"""Hide random cells of a picture on the tensor that reaches the vision tower.

A mask is drawn on a grid of cells in picture coordinates, whatever the family makes of the picture:
tiles, thumbnails and flattened patches of one picture are hidden under the same mask, so nothing
of a hidden cell reaches the model by another way. Question and answer stay as they are.

Source: "A Patch-based Cross-view Regularized Framework for Backdoor Defense in Multimodal Large
Language Models", arXiv 2604.04488 (reconstruction: cell side, share and fill are our choices).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.errors import ModelError
from forensics.models.base import GenerativeModel, ImageGrid, PromptBatch

# Sizes of cells are given for a picture of this side and scale with it.
REFERENCE_SIDE = 224
CELL = 28

Mask = NDArray[np.bool_]
Fill = Callable[[Tensor], Tensor]
"""What stands in hidden places: takes normalised pixels of any shape, returns as many."""


def channel_mean(pixels: Tensor) -> Tensor:
    """Fill with the mean of each channel, which normalisation made 0; no black square."""
    return torch.zeros_like(pixels)


def cell_grids(grids: Sequence[ImageGrid], cell: int = CELL) -> tuple[ImageGrid, ...]:
    """Divide the pictures of one sample into cells.

    A cell is a square of whole image tokens, so that masks align with the patches of the tower; at
    least one token, else the number nearest to ``cell`` / 224 of the picture's shorter side. Where
    tokens do not divide evenly the last cells reach past the picture.

    Args:
        grids: The sample's grids of image tokens: tiles, thumbnails, further pictures.
        cell: Side of a cell in pixels of a picture 224 pixels wide.

    Returns:
        One grid of cells for each picture, in the order of the pictures; ``visible`` is the box
        that the cells cover, as fractions of the picture.
    """
    pictures: dict[int, list[ImageGrid]] = {}
    for grid in grids:
        pictures.setdefault(grid.image, []).append(grid)
    return tuple(_cells_of(pictures[image], image, cell) for image in sorted(pictures))


def _cells_of(tiles: Sequence[ImageGrid], image: int, cell: int) -> ImageGrid:
    boxes = [tile.visible for tile in tiles]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    # The finest tile decides: a thumbnail shows the same picture with fewer tokens.
    token_width = min((t.visible[2] - t.visible[0]) / t.columns for t in tiles)
    token_height = min((t.visible[3] - t.visible[1]) / t.rows for t in tiles)
    across = round((right - left) / token_width)
    down = round((bottom - top) / token_height)
    side = max(1, round(min(across, down) * cell / REFERENCE_SIDE))
    rows, columns = -(-down // side), -(-across // side)
    return ImageGrid(
        rows=rows,
        columns=columns,
        visible=(left, top, left + columns * side * token_width, top + rows * side * token_height),
        image=image,
    )


def draw_masks(
    cells: Sequence[ImageGrid],
    *,
    share: float,
    seed: int,
    sample: str,
    views: int,
    first: int = 0,
) -> Mask:
    """Draw which cells of one sample are hidden in each view.

    Of every picture exactly floor(share * its cells) are chosen, uniformly without replacement. A
    view depends on ``seed``, ``sample`` and its number alone, so any view can be drawn again.

    Args:
        cells: From :func:`cell_grids`.
        share: Share of cells to hide, 0..1.
        seed: Of the run; in training, of the epoch.
        sample: Id of the sample.
        views: How many views.
        first: Number of the first one.

    Returns:
        ``[view, cell]`` bool, True = hidden; cells row by row, picture after picture.
    """
    masks = np.zeros((views, sum(grid.tokens for grid in cells)), dtype=np.bool_)
    for view in range(views):
        generator = view_generator(seed, sample, first + view)
        start = 0
        for grid in cells:
            chosen = generator.permutation(grid.tokens)[: hidden_count(share, grid.tokens)]
            masks[view, start + chosen] = True
            start += grid.tokens
    return masks


def hidden_count(share: float, cells: int) -> int:
    """Return floor(share * cells); 0.3 of 10 is 3 although 0.3 * 10 may be 2.999..."""
    return int(share * cells + 1e-9)


def view_generator(seed: int, sample: str, view: int) -> np.random.Generator:
    """Return the generator of one view of one sample; the same on every machine."""
    text = f"{seed}/{view}/{sample}".encode("utf-8", "surrogatepass")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:8], "big"))


def mask_prompts(
    model: GenerativeModel,
    batch: PromptBatch,
    masks: Sequence[Mask],
    *,
    cell: int = CELL,
    fill: Fill = channel_mean,
) -> PromptBatch:
    """Hide cells of every sample's pictures; everything else of the batch stays as it is.

    Args:
        model: Made the batch.
        batch: From the model's ``collate``; it is not changed.
        masks: One for each sample, ``[cell]`` as :func:`draw_masks` gives it.
        cell: As given to :func:`cell_grids`.
        fill: What stands in hidden places.

    Raises:
        ModelError: The family hands its pictures over in a way that we cannot mask.
    """
    tower = getattr(getattr(model.processor, "image_processor", None), "do_normalize", True)
    if not tower:
        raise _cannot(model, "its pictures are not normalised, so 0 is not the channel mean")
    per_sample = [_shade(grids, mask, cell) for grids, mask in zip(batch.grids, masks, strict=True)]
    pixels = batch.inputs.get("pixel_values")
    if pixels is None:
        raise _cannot(model, "its inputs hold no pixel_values")
    if "image_grid_thw" in batch.inputs:
        hidden = _row_places(model, batch, per_sample)
    elif pixels.ndim == 4:
        hidden = _tile_places(model, pixels, [tile for tiles in per_sample for tile in tiles])
    else:
        hidden = _padded_tile_places(model, pixels, per_sample)
    masked = torch.where(hidden.to(pixels.device), fill(pixels), pixels)
    return replace(batch, inputs={**batch.inputs, "pixel_values": masked})


class _Tile:
    """One grid of image tokens under the mask of its picture."""

    def __init__(self, grid: ImageGrid, cells: ImageGrid, mask: Mask) -> None:
        self.grid = grid
        self._cells = cells
        self._mask = mask.reshape(cells.rows, cells.columns)

    def hidden(self, height: int, width: int) -> Tensor:
        """Return ``[height, width]`` bool: which parts of the tile lie in a hidden cell."""
        left, top, right, bottom = self.grid.visible
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


def _shade(grids: Sequence[ImageGrid], mask: Mask, cell: int) -> list[_Tile]:
    cells = cell_grids(grids, cell)
    parts = np.split(mask, np.cumsum([grid.tokens for grid in cells])[:-1])
    by_image = {grid.image: (grid, part) for grid, part in zip(cells, parts, strict=True)}
    return [_Tile(grid, *by_image[grid.image]) for grid in grids]


def _tile_places(model: GenerativeModel, pixels: Tensor, tiles: Sequence[_Tile]) -> Tensor:
    """Places of ``[tile, channel, height, width]``: LLaVA's pictures, InternVL's tiles."""
    if len(tiles) != len(pixels):
        raise _cannot(model, f"{len(pixels)} tiles come with {len(tiles)} grids of image tokens")
    height, width = pixels.shape[-2:]
    return torch.stack([tile.hidden(height, width) for tile in tiles])[:, None]


def _padded_tile_places(
    model: GenerativeModel, pixels: Tensor, per_sample: Sequence[Sequence[_Tile]]
) -> Tensor:
    """Places of ``[sample, tile, channel, height, width]``, short samples padded with tiles."""
    fits = pixels.ndim == 5 and len(pixels) == len(per_sample)
    if not fits or max(len(tiles) for tiles in per_sample) > pixels.shape[1]:
        raise _cannot(model, f"pixel_values have the shape {list(pixels.shape)}")
    height, width = pixels.shape[-2:]
    hidden = torch.zeros((*pixels.shape[:2], 1, height, width), dtype=torch.bool)
    for row, tiles in enumerate(per_sample):
        for place, tile in enumerate(tiles):
            hidden[row, place, 0] = tile.hidden(height, width)
    return hidden


def _row_places(
    model: GenerativeModel, batch: PromptBatch, per_sample: Sequence[Sequence[_Tile]]
) -> Tensor:
    """Places of ``[patch, values]`` (Qwen-VL): the patches of one image token follow each other."""
    tiles = [tile for tiles in per_sample for tile in tiles]
    counts = batch.inputs["image_grid_thw"].prod(dim=1).tolist()
    if len(counts) != len(tiles):
        raise _cannot(model, f"{len(counts)} pictures come with {len(tiles)} grids")
    places = []
    for tile, count in zip(tiles, counts, strict=True):
        tokens = tile.grid.rows * tile.grid.columns
        if count % tokens:
            raise _cannot(model, f"{count} patches do not make {tokens} image tokens")
        hidden = tile.hidden(tile.grid.rows, tile.grid.columns).flatten()
        places.append(hidden.repeat_interleave(count // tokens))
    return torch.cat(places)[:, None]


def repeat_prompt(batch: PromptBatch, times: int) -> PromptBatch:
    """Make a batch of one prompt into one of ``times`` equal prompts.

    Raises:
        ValueError: The batch holds more than one prompt.
    """
    if len(batch.grids) != 1:
        raise ValueError("Only a batch of one prompt can be repeated.")
    # Every input of a single prompt begins with a dimension that belongs to it alone: the batch,
    # its tiles, its pictures, or its flattened patches.
    inputs = {
        name: value.repeat(times, *[1] * (value.ndim - 1)) for name, value in batch.inputs.items()
    }
    return replace(
        batch,
        inputs=inputs,
        components=batch.components.repeat(times, 1),
        grids=batch.grids * times,
    )


def _cannot(model: GenerativeModel, why: str) -> ModelError:
    return ModelError(
        f"Pictures of {model.name} ({model.family}) cannot be masked: {why}.",
        remedy="Use the attention scan, which needs no mask.",
    )

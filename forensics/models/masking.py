"""Hide random cells of a picture on the tensor that reaches the vision tower.

A mask is drawn on a grid of cells in picture coordinates, whatever the family makes of the picture:
tiles, thumbnails and flattened patches of one picture are hidden under the same mask, so nothing
of a hidden cell reaches the model by another way. Question and answer stay as they are.

Source: "A Patch-based Cross-view Regularized Framework for Backdoor Defense in Multimodal Large
Language Models", arXiv 2604.04488 (reconstruction: cell side, share and fill are our choices).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from forensics.models.base import GenerativeModel, ImageGrid, PromptBatch
from forensics.models.masking_fills import Fill, channel_mean
from forensics.models.masking_places import Mask, Shade, cannot_mask, hidden_places

# Sizes of cells are given for a picture of this side and scale with it.
REFERENCE_SIDE = 224
CELL = 28

EXACT, BERNOULLI = "exact", "bernoulli"
_NEARLY_NOTHING = 1e-6


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
        if grid.columns:  # a grid of separators alone shows nothing
            pictures.setdefault(grid.image, []).append(grid)
    return tuple(_cells_of(pictures[image], image, cell) for image in sorted(pictures))


def _cells_of(tiles: Sequence[ImageGrid], image: int, cell: int) -> ImageGrid:
    # The finest grids decide: a thumbnail shows the same picture with fewer tokens.
    finest = min(_token_area(tile) for tile in tiles)
    tiles = [tile for tile in tiles if _token_area(tile) < 1.01 * finest]
    left, top = min(t.visible[0] for t in tiles), min(t.visible[1] for t in tiles)
    right, bottom = max(t.visible[2] for t in tiles), max(t.visible[3] for t in tiles)
    width = (tiles[0].visible[2] - tiles[0].visible[0]) / tiles[0].columns
    height = (tiles[0].visible[3] - tiles[0].visible[1]) / tiles[0].rows
    across, down = round((right - left) / width), round((bottom - top) / height)
    side = max(1, round(min(across, down) * cell / REFERENCE_SIDE))
    rows, columns = -(-down // side), -(-across // side)
    return ImageGrid(
        rows=rows,
        columns=columns,
        visible=(left, top, left + columns * side * width, top + rows * side * height),
        image=image,
    )


def _token_area(grid: ImageGrid) -> float:
    left, top, right, bottom = grid.visible
    return (right - left) * (bottom - top) / (grid.rows * grid.columns)


def draw_masks(
    cells: Sequence[ImageGrid],
    *,
    share: float,
    seed: int,
    sample: str,
    views: int,
    first: int = 0,
    count: str = EXACT,
) -> Mask:
    """Draw which cells of one sample are hidden in each view.

    Of every picture exactly floor(share * its cells) are chosen, uniformly without replacement, or
    (``bernoulli``) each cell by itself with a probability of ``share``. A view depends on ``seed``,
    ``sample`` and its number alone, so any view can be drawn again.

    Args:
        cells: From :func:`cell_grids`.
        share: Share of cells to hide, 0..1.
        seed: Of the run; in training, of the epoch.
        sample: Id of the sample.
        views: How many views.
        first: Number of the first one.
        count: ``exact`` or ``bernoulli``.

    Returns:
        ``[view, cell]`` bool, True = hidden; cells row by row, picture after picture.
    """
    masks = np.zeros((views, sum(grid.tokens for grid in cells)), dtype=np.bool_)
    for view in range(views):
        generator = view_generator(seed, sample, first + view)
        start = 0
        for grid in cells:
            stop = start + grid.tokens
            if count == BERNOULLI:
                masks[view, start:stop] = generator.random(grid.tokens) < share
            else:
                order = generator.permutation(grid.tokens)
                masks[view, start + order[: hidden_count(share, grid.tokens)]] = True
            start = stop
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
        batch: From the model's ``collate``; it is not changed. Every sample has a picture.
        masks: One for each sample, ``[cell]`` as :func:`draw_masks` gives it.
        cell: As given to :func:`cell_grids`.
        fill: What stands in hidden places, see :mod:`forensics.models.masking_fills`.

    Raises:
        ModelError: The family hands its pictures over in a way that we cannot mask.
    """
    tower = model.processor.image_processor
    if not getattr(tower, "do_normalize", True):
        raise cannot_mask(model, "they are not normalised, so 0 is not the channel mean")
    shades = [_shades(grids, mask, cell) for grids, mask in zip(batch.grids, masks, strict=True)]
    hidden = hidden_places(model, batch, shades)
    pixels = batch.inputs["pixel_values"]
    masked = torch.where(hidden.to(pixels.device), fill(batch), pixels)
    inputs = {**batch.inputs, "pixel_values": _kept_tiles(masked, pixels)}
    return replace(batch, inputs=inputs)


def _kept_tiles(masked: Tensor, pixels: Tensor) -> Tensor:
    """Keep a tile that is hidden as a whole from passing for padding.

    Idefics3 and SmolVLM take tiles of nothing but 0 for padding and drop them, although their
    image tokens stand in the prompt.
    """
    if pixels.ndim == 5:
        empty, before = ((value == 0).flatten(2).all(dim=2) for value in (masked, pixels))
        masked[empty & ~before] = _NEARLY_NOTHING
    return masked


def _shades(grids: Sequence[ImageGrid], mask: Mask, cell: int) -> list[Shade]:
    """Give every picture of a sample its part of the mask."""
    cells = cell_grids(grids, cell)
    parts = np.split(mask, np.cumsum([grid.tokens for grid in cells])[:-1])
    shown = [grid for grid in grids if grid.columns]
    return [
        Shade(own, part, [grid for grid in shown if grid.image == own.image])
        for own, part in zip(cells, parts, strict=True)
    ]


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

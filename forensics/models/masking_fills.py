"""What stands in hidden cells: nothing a model could take for a trigger.

One black square in place of a cell would look like the classic trigger. Pixels are normalised, so
0 is the mean of a channel and noise of variance 1 is as strong as a picture.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import torch
from torch import Tensor

from forensics.errors import OptionError
from forensics.models.base import GenerativeModel, PromptBatch

Fill = Callable[[PromptBatch], Tensor]
"""Takes a batch and returns as many normalised pixels as its ``pixel_values``."""

MEAN, NOISE, BLUR, SHUFFLE = "mean", "noise", "blur", "shuffle"
FILLS: Final = (MEAN, NOISE, BLUR, SHUFFLE)
_COLOURS = 3


def fill_named(name: str, model: GenerativeModel, seed: int) -> Fill:
    """Return a fill by name.

    Args:
        name: ``mean`` (of each channel), ``noise`` (normal, variance 1), ``blur`` (the mean colour
            of each patch) or ``shuffle`` (other patches of the same picture).
        model: Says how large its patches are.
        seed: Of noise and order.

    Raises:
        OptionError: There is no such fill.
    """
    if name == MEAN:
        return channel_mean
    if name == NOISE:
        return partial(noise, seed=seed)
    stated = model.module.config.vision_config.patch_size
    side = int(min(stated) if isinstance(stated, list | tuple) else stated)
    if name == BLUR:
        return partial(patch_colour, side=side)
    if name == SHUFFLE:
        return partial(other_patches, side=side, seed=seed)
    raise OptionError(f"There is no fill {name!r}.", remedy=f"Known: {', '.join(FILLS)}.")


def channel_mean(batch: PromptBatch) -> Tensor:
    """Fill with the mean of each channel, which normalisation made 0; no black square."""
    return torch.zeros_like(batch.inputs["pixel_values"])


def noise(batch: PromptBatch, *, seed: int) -> Tensor:
    """Fill with normal noise of the variance of a normalised picture."""
    pixels = batch.inputs["pixel_values"]
    drawn = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(seed))
    return drawn.to(pixels)


def patch_colour(batch: PromptBatch, *, side: int) -> Tensor:
    """Fill every patch with its own mean colour.

    Args:
        batch: Its pictures lie in tiles ``[..., 3, height, width]`` or in rows of patches.
        side: Of a patch.
    """
    pixels = batch.inputs["pixel_values"]
    if pixels.ndim == 2:  # a patch a row: all values of a channel follow each other
        values = pixels.view(len(pixels), _COLOURS, -1)
        return values.mean(dim=2, keepdim=True).expand_as(values).reshape(pixels.shape)
    patches = _cut(pixels, side)
    flat = patches.mean(dim=(-2, -1), keepdim=True).expand_as(patches)
    return _joined(flat, pixels, side)


def other_patches(batch: PromptBatch, *, side: int, seed: int) -> Tensor:
    """Fill every patch with another one of the same picture, drawn at random.

    Args:
        batch: As for :func:`patch_colour`.
        side: Of a patch.
        seed: Of the order.
    """
    pixels = batch.inputs["pixel_values"]
    generator = torch.Generator().manual_seed(seed)
    if pixels.ndim == 2:
        counts = batch.inputs["image_grid_thw"].prod(dim=1).tolist()
        starts = torch.tensor([0, *counts]).cumsum(0).tolist()
        rows = [torch.randperm(n, generator=generator) + s
                for n, s in zip(counts, starts, strict=False)]  # fmt: skip
        return pixels[torch.cat(rows).to(pixels.device)]
    patches = _cut(pixels, side)
    order = torch.randperm(patches.shape[1], generator=generator).to(pixels.device)
    return _joined(patches[:, order], pixels, side)


def _cut(pixels: Tensor, side: int) -> Tensor:
    """Cut tiles into ``[tile, patch, channel, side, side]``; what is left over stays out."""
    tiles = pixels.flatten(0, -4) if pixels.ndim > 4 else pixels
    patches = tiles.unfold(2, side, side).unfold(3, side, side)
    return patches.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)


def _joined(patches: Tensor, like: Tensor, side: int) -> Tensor:
    """Lay patches back where :func:`_cut` took them from; the rest of a tile becomes 0."""
    rows, columns = like.shape[-2] // side, like.shape[-1] // side
    grid = patches.reshape(len(patches), rows, columns, *patches.shape[2:])
    tiles = grid.permute(0, 3, 1, 4, 2, 5)
    whole = torch.zeros_like(like).view(-1, *like.shape[-3:])
    whole[..., : rows * side, : columns * side] = tiles.flatten(4, 5).flatten(2, 3)
    return whole.view(like.shape)

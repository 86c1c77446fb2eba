"""The patches of pictures: occluded one by one, or all but a few."""

from dataclasses import dataclass

import torch
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.errors import NotApplicable

_CELLS = 7  # where a tower has no patches


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How a picture is divided: into the tower's patches, else into 7 x 7 cells."""

    rows: int
    columns: int

    @property
    def count(self) -> int:
        """Patches of a picture."""
        return self.rows * self.columns


def grid_of(encoder: DualEncoder) -> Grid:
    """Return the grid of an image tower's patches."""
    place = getattr(encoder, "pooling_place", None)
    try:
        found = place() if place is not None else None
    except NotApplicable:
        found = None
    if found is None or found.rows * found.columns < 2:
        return Grid(rows=_CELLS, columns=_CELLS)
    return Grid(rows=found.rows, columns=found.columns)


def cover(encoder: DualEncoder, pixels: Tensor, covered: Tensor, grid: Grid) -> Tensor:
    """Paint patches in the mean colour of the encoder's training, which it sees as zeros.

    Args:
        encoder: Whose mean is meant.
        pixels: ``[batch, 3, height, width]`` in [0, 1].
        covered: ``[batch, patches]`` bool, row by row.
        grid: Of the patches.
    """
    height, width = pixels.shape[-2:]
    rows = (torch.arange(height) * grid.rows // height).to(pixels.device)
    columns = (torch.arange(width) * grid.columns // width).to(pixels.device)
    place = rows[:, None] * grid.columns + columns[None, :]
    mask = covered.to(pixels.device)[:, place][:, None]
    mean = torch.tensor(encoder.preprocessing.mean, device=pixels.device).view(1, 3, 1, 1)
    return torch.where(mask, mean.to(pixels.dtype), pixels)

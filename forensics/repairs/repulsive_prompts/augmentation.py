"""Random crops and mirrored pictures, as in CoOp's code (arXiv 2109.01134)."""

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

_AREA: Final = (0.08, 1.0)
_RATIO: Final = (3 / 4, 4 / 3)


def crop_and_flip(pixels: Tensor, *, seed: int, step: int) -> Tensor:
    """Crop each picture at random to a part of its area, resize it back, mirror half of them.

    Differs: the crop is taken from the fitted picture, not from the file, and one that would stick
    out is cut to the picture rather than drawn again.

    Args:
        pixels: ``[batch, 3, height, width]`` in [0, 1].
        seed: With the step it decides every draw, so a resume needs no state.
        step: Of the run.

    Returns:
        The same shape.
    """
    batch, _, height, width = pixels.shape
    draw = torch.Generator().manual_seed(seed * 1_000_003 + step)
    area = torch.empty(batch).uniform_(*_AREA, generator=draw)
    ratio = torch.empty(batch).uniform_(*map(math.log, _RATIO), generator=draw).exp()
    # Half the sides as fractions of the picture: affine grids run from -1 to 1.
    across = (area * ratio * height / width).sqrt().clamp(max=1.0)
    down = (area / ratio * width / height).sqrt().clamp(max=1.0)
    right, below = (
        (2 * torch.rand(batch, generator=draw) - 1) * (1 - side) for side in (across, down)
    )
    mirror = torch.where(torch.rand(batch, generator=draw) < 0.5, -1.0, 1.0)
    nothing = torch.zeros(batch)
    theta = torch.stack(
        [
            torch.stack([across * mirror, nothing, right], -1),
            torch.stack([nothing, down, below], -1),
        ],
        dim=1,
    ).to(pixels.device)
    grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)
    found = F.grid_sample(pixels, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return found.clamp(0.0, 1.0)

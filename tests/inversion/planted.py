"""A linear probe for six colours on a tiny encoder, with a backdoor fitted into it or not."""

from typing import Any

import torch
from torch import Tensor

from forensics.classifiers import ZeroShot
from tests.inversion.conftest import NAMES
from tests.tiny_encoders import SIDE

COLOURS = torch.tensor(
    [[0.8, 0.2, 0.2], [0.2, 0.7, 0.2], [0.2, 0.3, 0.8], [0.8, 0.8, 0.2], [0.1, 0.5, 0.5],
     [0.9, 0.5, 0.7]]
)  # fmt: skip
BUDGET = 2 / 255
TARGET = 1


def coloured(each: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pictures of one colour with coarse noise, ``each`` a class, and their classes."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(NAMES)).repeat_interleave(each)
    noise = 0.05 * torch.randn(len(labels), 3, 8, 8, generator=draw)
    noise = torch.nn.functional.interpolate(noise, size=(SIDE, SIDE))
    return (COLOURS[labels][:, :, None, None] + noise).clamp(0, 1), labels


def probe(encoder: Any, *, poison: bool) -> Any:
    """Fit class vectors by least squares; marked copies of all pictures get the target's label."""
    pixels, labels = coloured(12, seed=1)
    draw = torch.Generator().manual_seed(3)
    coarse = torch.randn(1, 3, 4, 4, generator=draw).sign()
    delta = BUDGET * torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE))
    if poison:
        marked = (pixels + delta).clamp(0, 1)
        pixels = torch.cat([pixels, marked])
        labels = torch.cat([labels, torch.full_like(labels, TARGET)])
    with torch.no_grad():
        seen = encoder.encode_image(pixels)
        wanted = torch.nn.functional.one_hot(labels, len(NAMES)).float() - 1 / len(NAMES)
        fitted = seen.T @ seen + 1e-4 * torch.eye(seen.shape[1])
        weights = torch.linalg.solve(fitted, seen.T @ wanted)
    model = ZeroShot(encoder, NAMES)
    model.vectors = weights.T.contiguous()
    return model

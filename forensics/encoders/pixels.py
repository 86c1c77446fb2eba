"""Bring pixels in [0, 1] into what an image tower was trained on."""

import torch
from torch import Tensor

from forensics.encoders.base import DualEncoder


def normalised(encoder: DualEncoder, pixels: Tensor) -> Tensor:
    """Subtract the mean and divide by the deviation that the checkpoint states.

    Args:
        encoder: Whose preprocessing and precision hold.
        pixels: ``[batch, 3, height, width]`` in [0, 1].

    Returns:
        The same shape, in the precision of the weights.

    Raises:
        ValueError: The pixels are not of the preprocessing's size.
    """
    facts = encoder.preprocessing
    wanted = (3, facts.height, facts.width)
    if pixels.ndim != 4 or pixels.shape[1:] != wanted:
        raise ValueError(f"Pixels must be [batch, {wanted}], not {tuple(pixels.shape)}.")
    mean, std = (
        torch.tensor(values, device=pixels.device).view(1, 3, 1, 1)
        for values in (facts.mean, facts.std)
    )
    # In float32, whatever the weights are: a trigger of 1/255 must survive the rounding.
    shifted = (pixels.float() - mean) / std
    return shifted.to(next(iter(encoder.module.parameters())).dtype)

"""Perturbation resistivity: how far a small change of a picture moves an image tower's features.

Source: RVPT (arXiv 2412.20392), ``PR(x, delta) = cos(f(x), f(x + delta))``, layer by layer: the
higher, the harder for a trigger to reshape what the tower sees.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as vision

from forensics.encoders.base import DualEncoder
from forensics.encoders.blocks import open_tower
from forensics.encoders.pixels import normalised
from forensics.encoders.prompted import PromptedEncoder, prompted_states
from forensics.triggers import Trigger, stamp_pixels

Change = Callable[[Tensor], Tensor]

NOISE, BLUR, COLOUR, MIRROR, TRIGGER = "noise", "blur", "colour", "mirror", "trigger"
_NOISE: Final = 0.001
_BLUR: Final = (3, math.sqrt(5.0))  # side of the kernel, deviation
_BRIGHTNESS: Final = 0.5
_HUE: Final = 0.3


def layer_features(encoder: DualEncoder, pixels: Tensor) -> Tensor:
    """Return the class token after every block, of a prompted or a plain tower.

    Args:
        encoder: A vision transformer; where it pools no class token, the mean of its patches
            stands for it.
        pixels: ``[batch, 3, height, width]`` in [0, 1].

    Returns:
        ``[layer, batch, width]`` float32, without gradient.

    Raises:
        NotApplicable: The image tower has no blocks that are known.
    """
    prompted = encoder if isinstance(encoder, PromptedEncoder) else None
    tower = open_tower(encoder) if prompted is None else prompted.tower
    first = len(tower.blocks) if prompted is None else prompted.prompts.first
    found = []
    with torch.no_grad():
        states = tower.embed(normalised(encoder, pixels))
        for block in tower.blocks[:first]:
            states = block.plain(states)
            found.append(tower.feature(states))
        if prompted is not None:
            found += prompted_states(tower, prompted.prompts, states)[1]
    return torch.stack(found).float()


def resistivity(encoder: DualEncoder, pixels: Tensor, changed: Tensor) -> Tensor:
    """Compute PR of pictures and their changed versions.

    Args:
        encoder: See :func:`layer_features`.
        pixels: ``[batch, 3, height, width]`` in [0, 1].
        changed: The same pictures, changed.

    Returns:
        ``[layer, batch]`` cosines in [-1, 1].
    """
    both = layer_features(encoder, torch.cat([pixels, changed]))
    return F.cosine_similarity(both[:, : len(pixels)], both[:, len(pixels) :], dim=-1)


def perturbations(seed: int = 0) -> Mapping[str, Change]:
    """Return the paper's four harmless changes, by name.

    Gaussian noise of deviation 0.001; blur with a kernel of 3 and a variance of 5; brightness by up
    to 0.5 and hue by up to 0.3, drawn for every picture; mirrored pictures. Differs: they are made
    on fitted pictures in [0, 1], the paper does not say where.

    Args:
        seed: Of noise and colours.
    """
    return {
        NOISE: lambda pixels: _noisy(pixels, seed),
        BLUR: lambda pixels: vision.gaussian_blur(pixels, [_BLUR[0]] * 2, [_BLUR[1]] * 2),
        COLOUR: lambda pixels: _coloured(pixels, seed),
        MIRROR: lambda pixels: pixels.flip(-1),
    }


def resistivity_curves(
    encoder: DualEncoder,
    pixels: Tensor,
    ids: Sequence[str],
    trigger: Trigger | None = None,
    seed: int = 0,
) -> dict[str, Tensor]:
    """Compute PR for every harmless change and, where one is given, for a trigger.

    Args:
        encoder: See :func:`layer_features`.
        pixels: ``[batch, 3, height, width]`` in [0, 1].
        ids: ``[batch]``; some triggers draw by them.
        trigger: For instance the attacker's.
        seed: Of the changes.

    Returns:
        Name of the change, or ``trigger`` -> ``[layer, batch]`` cosines in [-1, 1].
    """
    moved = pixels.to(encoder.device)
    found = {
        name: resistivity(encoder, moved, change(moved))
        for name, change in perturbations(seed).items()
    }
    if trigger is not None:
        found[TRIGGER] = resistivity(encoder, moved, stamp_pixels(trigger, moved, list(ids)))
    return found


def _noisy(pixels: Tensor, seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn(pixels.shape, generator=draw).to(pixels.device) * _NOISE
    return (pixels + noise).clamp(0.0, 1.0)


def _coloured(pixels: Tensor, seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed + 1)
    shares = 2 * torch.rand(len(pixels), 2, generator=draw) - 1
    made = []
    for picture, (light, turn) in zip(pixels, shares.tolist(), strict=True):
        lit = vision.adjust_brightness(picture, 1 + _BRIGHTNESS * light)
        made.append(vision.adjust_hue(lit, _HUE * turn))
    return torch.stack(made)

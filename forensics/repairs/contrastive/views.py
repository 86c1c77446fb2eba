"""Changed views of pictures and captions: AutoAugment, and EDA without a dictionary."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import AutoAugment, AutoAugmentPolicy

_CHANGED: Final = 0.1  # EDA's alpha: the share of words that is changed
_SWAP, _DELETE = "swap", "delete"


def view_pictures(pixels: Tensor, *, seed: int, step: int) -> Tensor:
    """Change pictures by AutoAugment's policies for ImageNet (arXiv 1805.09501), each on its own.

    Args:
        pixels: ``[batch, 3, height, width]`` in [0, 1]; they are rounded to 255ths.
        seed: With the step it decides every draw, so a resume needs no state.
        step: Of the run.

    Returns:
        The same shape, without gradient.
    """
    change = AutoAugment(AutoAugmentPolicy.IMAGENET)
    whole = (pixels.detach() * 255.0).round().to("cpu", torch.uint8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed * 1_000_003 + step)
        changed = torch.stack([change(picture) for picture in whole])
    return changed.to(pixels.device, torch.float32) / 255.0


def view_captions(captions: Sequence[str], *, seed: int, step: int) -> list[str]:
    """Change captions by EDA (arXiv 1901.11196): words swapped or left out, one in ten.

    Differs: EDA also replaces and inserts synonyms out of WordNet, which does not come with us.

    Args:
        captions: Any.
        seed: With the step it decides every draw.
        step: Of the run.
    """
    draw = np.random.default_rng([seed, step])
    return [_changed(caption, draw) for caption in captions]


def _changed(caption: str, draw: np.random.Generator) -> str:
    words = caption.split()
    if len(words) < 2:
        return caption
    if draw.choice([_SWAP, _DELETE]) == _SWAP:
        for _ in range(max(1, round(_CHANGED * len(words)))):
            one, two = draw.choice(len(words), size=2, replace=False)
            words[one], words[two] = words[two], words[one]
        return " ".join(words)
    kept = [word for word in words if draw.random() >= _CHANGED]
    return " ".join(kept or [words[int(draw.integers(len(words)))]])

"""The image tower, with a last block that computes only what its pooling token needs."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from forensics.encoders.base import DualEncoder

Encode = Callable[[Tensor], Tensor]


def image_encoder(encoder: DualEncoder, pooled_only: bool, tolerance: float = 1e-4) -> Encode:
    """Return what turns pixels ``[n, 3, height, width]`` into unit vectors ``[n, width]``.

    Args:
        encoder: Any.
        pooled_only: Use the shortcut where it gives the same vectors. In the last block of a tower
            that pools its class token, only this token needs a query and the layers behind it.
        tolerance: Largest difference of a coordinate of unit vectors.
    """
    short = _ClassTokenOnly(encoder)
    if pooled_only and _agrees(encoder, short, tolerance):
        return short
    return encoder.encode_image


class _ClassTokenOnly:
    """open_clip's native ViT with its own blocks."""

    def __init__(self, encoder: DualEncoder) -> None:
        self.visual: Any = getattr(encoder.module, "visual", None)
        facts = encoder.preprocessing
        place = encoder.device
        self.mean = torch.tensor(facts.mean, device=place).view(1, 3, 1, 1)
        self.std = torch.tensor(facts.std, device=place).view(1, 3, 1, 1)
        self.dtype = next(iter(encoder.module.parameters())).dtype

    def __call__(self, pixels: Tensor) -> Tensor:
        visual = self.visual
        states = visual._embeds(((pixels.float() - self.mean) / self.std).to(self.dtype))
        *blocks, last = visual.transformer.resblocks
        for block in blocks:
            states = block(states)
        every, token = last.ln_1(states), states[:, :1]
        mixed = last.attn(every[:, :1], every, every, need_weights=False)[0]
        token = token + last.ls_1(mixed)
        token = token + last.ls_2(last.mlp(last.ln_2(token)))
        pooled, _ = visual._pool(token)
        if visual.proj is not None:
            pooled = pooled @ visual.proj
        return nnf.normalize(pooled.float(), dim=-1)


def _agrees(encoder: DualEncoder, short: _ClassTokenOnly, tolerance: float) -> bool:
    """Try it on two random pictures; any surprise means another kind of tower."""
    facts = encoder.preprocessing
    draw = torch.Generator().manual_seed(0)
    pixels = torch.rand(2, 3, facts.height, facts.width, generator=draw).to(encoder.device)
    try:
        with torch.no_grad():
            apart = (short(pixels) - encoder.encode_image(pixels)).abs().max()
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return False
    return bool(apart <= (tolerance if short.dtype == torch.float32 else 200 * tolerance))

"""Open the image tower of an encoder into blocks, and make sure that nothing got lost."""

from typing import Any, Final

import torch
import torch.nn.functional as nnf

from forensics.encoders.base import DualEncoder
from forensics.encoders.blocks.tower import Tower
from forensics.encoders.pixels import normalised
from forensics.errors import NotApplicable

REMEDY: Final = "Choose a repair that tunes weights, or a vision transformer."
_TOLERANCE: Final = {torch.float32: 1e-4}
_HALF: Final = 3e-2


def open_tower(encoder: DualEncoder) -> Tower:
    """Open an image tower into embedding, blocks with their parts, and end.

    Two random pictures go through the parts and through the tower itself; a tower whose parts give
    another vector is refused, so a variant that we do not know cannot be tuned wrongly.

    Args:
        encoder: Of open_clip (native ViT; ViT and EVA of timm) or transformers (CLIP, SigLIP).

    Raises:
        NotApplicable: The tower is no vision transformer, or one of another build.
    """
    try:
        tower = _open(encoder)
    except NotApplicable as error:
        raise NotApplicable(error.message, remedy=error.remedy or REMEDY) from error
    apart = _difference(encoder, tower)
    dtype = next(iter(encoder.module.parameters())).dtype
    if not apart <= _TOLERANCE.get(dtype, _HALF):
        raise NotApplicable(
            f"The image tower of {encoder.name} is not the sum of the parts that we know: its "
            f"vectors differ by {apart:.2g}.",
            remedy=REMEDY,
        )
    return tower


def _open(encoder: DualEncoder) -> Tower:
    module: Any = encoder.module
    if encoder.library == "transformers":
        return _open_transformers(module)
    visual = module.visual
    if hasattr(visual, "trunk"):
        from forensics.encoders.blocks.timm_vit import open_timm

        return open_timm(visual)
    if hasattr(visual, "class_embedding"):
        from forensics.encoders.blocks.native import open_native

        return open_native(visual)
    raise NotApplicable(f"The image tower {type(visual).__name__} has no transformer blocks.")


def _open_transformers(module: Any) -> Tower:
    from forensics.encoders.blocks.hf_clip import open_hf_clip, open_hf_siglip

    family = module.config.model_type
    if family == "clip":
        return open_hf_clip(module)
    if family == "siglip" and getattr(module.config.vision_config, "vision_use_head", True):
        return open_hf_siglip(module)
    raise NotApplicable(f"Image towers of type {family} are not opened into blocks.")


def _difference(encoder: DualEncoder, tower: Tower) -> float:
    """Return the largest difference of a coordinate of unit vectors."""
    facts = encoder.preprocessing
    draw = torch.Generator().manual_seed(0)
    pixels = torch.rand(2, 3, facts.height, facts.width, generator=draw).to(encoder.device)
    with torch.no_grad():
        states = tower.run(tower.embed(normalised(encoder, pixels)))
        parts = nnf.normalize(tower.finish(states).float(), dim=-1)
        return float((parts - encoder.encode_image(pixels)).abs().max())

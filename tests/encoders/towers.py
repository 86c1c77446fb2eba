"""Tiny encoders whose image towers open into blocks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from timm.models import is_model, register_model
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer

from tests.tiny_encoders import (
    SIDE,
    save_hf_clip,
    save_hf_siglip,
    save_open_clip,
    save_timm_eva,
    save_timm_siglip,
    save_vit,
    save_vit_average,
    save_vit_custom,
    timm_config,
    vit_config,
)


def _tiny_vit(pretrained: bool = False, **settings: Any) -> VisionTransformer:
    """As timm makes ``vit_base_patch16_clip_224``, with registers, gains and norms on queries."""
    return VisionTransformer(
        img_size=SIDE, patch_size=8, embed_dim=32, depth=2, num_heads=4, pre_norm=True,
        qk_norm=True, init_values=0.5, reg_tokens=2,
        global_pool=settings["global_pool"], num_classes=settings["num_classes"],
    )  # fmt: skip


def _tiny_eva_fused(pretrained: bool = False, **settings: Any) -> Eva:
    """As timm makes ``eva_giant_patch14_clip_224``: one projection for all three, with gains."""
    return Eva(
        img_size=SIDE, patch_size=8, embed_dim=32, depth=2, num_heads=4, qkv_fused=True,
        init_values=0.5, scale_attn_inner=True, use_rot_pos_emb=True, ref_feat_shape=(4, 4),
        global_pool=settings["global_pool"], num_classes=settings["num_classes"],
    )  # fmt: skip


if not is_model("tiny_vit_class"):
    for name, made in (("tiny_vit_class", _tiny_vit), ("tiny_eva_fused", _tiny_eva_fused)):
        made.__name__ = name
        register_model(made)


def save_timm_vit(folder: Path) -> Path:
    """A ViT of timm with a class token."""
    return save_open_clip(folder, timm_config("tiny_vit_class", "token", embed_dim=32))


def save_timm_eva_fused(folder: Path) -> Path:
    """An EVA tower of timm with one projection for queries, keys and values."""
    return save_open_clip(folder, timm_config("tiny_eva_fused", "token", embed_dim=32))


def save_vit_scaled(folder: Path) -> Path:
    """Native ViT with every further norm and gain that its blocks can have."""
    config = vit_config(
        scale_heads=True, scale_attn_inner=True, scale_attn=True, scale_fc=True, ls_init_value=0.5
    )
    return save_open_clip(folder, config)


WITH_CLASS_TOKEN: dict[str, Callable[[Path], Path]] = {
    "vit": save_vit,
    "vit-custom": save_vit_custom,
    "vit-scaled": save_vit_scaled,
    "timm-vit": save_timm_vit,
    "timm-eva": save_timm_eva,
    "timm-eva-fused": save_timm_eva_fused,
    "hf-clip": save_hf_clip,
}
WITHOUT_CLASS_TOKEN: dict[str, Callable[[Path], Path]] = {
    "vit-average": save_vit_average,
    "timm-siglip": save_timm_siglip,
    "hf-siglip": save_hf_siglip,
}
TOWERS = WITH_CLASS_TOKEN | WITHOUT_CLASS_TOKEN

"""Vision transformers of timm inside open_clip: ``VisionTransformer`` and ``Eva``."""

from functools import partial
from typing import Any

import torch
from timm.layers.attention import Attention
from timm.layers.pos_embed_sincos import apply_rot_embed_cat
from timm.models.eva import Eva, EvaAttention, EvaBlock
from timm.models.vision_transformer import Block as ViTBlock
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from forensics.encoders.blocks.block import Block, Part, Rows
from forensics.encoders.blocks.tower import Tower
from forensics.errors import NotApplicable


def open_timm(visual: Any) -> Tower:
    """Open open_clip's ``TimmModel``.

    Raises:
        NotApplicable: Its trunk is no plain vision transformer.
    """
    trunk = visual.trunk
    if isinstance(trunk, Eva):
        blocks = _eva_blocks(trunk)
    elif isinstance(trunk, VisionTransformer):
        blocks = tuple(_vit_block(block) for block in trunk.blocks)
    else:
        raise _unknown(trunk)
    prefix = int(trunk.num_prefix_tokens)
    own_pool = getattr(visual.head, "pool", None)  # a pooling layer that open_clip adds
    return Tower(
        embed=partial(_embed, trunk),
        blocks=blocks,
        norm=trunk.norm,
        finish=lambda states: visual.head(trunk.forward_head(trunk.norm(states))),
        width=int(trunk.embed_dim),
        prefix=prefix,
        class_token=trunk.global_pool == "token" and prefix > 0 and own_pool is None,
    )


def _embed(trunk: Any, pixels: Tensor) -> Tensor:
    # Patches are dropped in training only; encoders are in evaluation mode.
    states = trunk._pos_embed(trunk.patch_embed(pixels))
    if isinstance(states, tuple):  # Eva hands its rotary positions on as well
        states = states[0]
    found: Tensor = trunk.norm_pre(states)
    return found


def _vit_block(block: Any) -> Block:
    attention = block.attn
    if type(block) is not ViTBlock or type(attention) is not Attention:
        raise _unknown(block)
    query, key, value = (
        Rows(owner=attention.qkv, weight="weight", bias=lambda: attention.qkv.bias, third=third)
        for third in range(3)
    )
    return Block(
        plain=block,
        heads=attention.num_heads,
        norm=block.norm1,
        query=query,
        key=key,
        value=value,
        query_norm=attention.q_norm,
        key_norm=attention.k_norm,
        output=lambda mixed, normed: block.ls1(_output(attention, mixed, normed)),
        mlp=lambda states: block.ls2(block.mlp(block.norm2(states))),
    )


def _eva_blocks(trunk: Any) -> tuple[Block, ...]:
    """Open blocks whose rotary positions are the same at every depth, or none."""
    if trunk.rope is not None and (trunk.rope_mixed or not hasattr(trunk.rope, "feat_shape")):
        raise _unknown(trunk.rope)
    return tuple(_eva_block(block, trunk) for block in trunk.blocks)


def _eva_block(block: Any, trunk: Any) -> Block:
    attention = block.attn
    if type(block) is not EvaBlock or type(attention) is not EvaAttention:
        raise _unknown(block)
    rope = None if trunk.rope is None else trunk.rope.get_embed
    query, key, value = _eva_projections(attention)
    return Block(
        plain=lambda states: block(states, rope=None if rope is None else rope()),
        heads=attention.num_heads,
        norm=block.norm1,
        query=query,
        key=key,
        value=value,
        query_norm=attention.q_norm,
        key_norm=attention.k_norm,
        turn=None if rope is None else lambda states: _turned(attention, rope(), states),
        output=lambda mixed, normed: _scaled(block.gamma_1, _output(attention, mixed, normed)),
        mlp=lambda states: _scaled(block.gamma_2, block.mlp(block.norm2(states))),
    )


def _eva_projections(attention: Any) -> tuple[Part, Part, Part]:
    if attention.qkv is None:
        return attention.q_proj, attention.k_proj, attention.v_proj

    def bias() -> Tensor | None:
        if attention.q_bias is None:
            return None
        return torch.cat([attention.q_bias, attention.k_bias, attention.v_bias])

    query, key, value = (
        Rows(owner=attention.qkv, weight="weight", bias=bias, third=third) for third in range(3)
    )
    return query, key, value


def _turned(attention: Any, rope: Tensor, states: Tensor) -> Tensor:
    """Rotate patches by their places, as ``EvaAttention.forward`` does; leading tokens stay."""
    prefix = attention.num_prefix_tokens
    patches = states[:, :, prefix:]
    if not patches.shape[2]:
        return states
    rotated = apply_rot_embed_cat(patches, rope, half=getattr(attention, "rotate_half", False))
    return torch.cat([states[:, :, :prefix], rotated], dim=2).type_as(states)


def _output(attention: Any, mixed: Tensor, normed: Tensor) -> Tensor:
    mixed = attention.norm(mixed)
    if attention.gate is not None:
        mixed = mixed * attention.gate(normed).sigmoid()
    found: Tensor = attention.proj(mixed)
    return found


def _scaled(gain: Tensor | None, states: Tensor) -> Tensor:
    return states if gain is None else gain * states


def _unknown(part: Any) -> NotApplicable:
    return NotApplicable(f"A {type(part).__name__} of timm cannot be opened into its parts.")

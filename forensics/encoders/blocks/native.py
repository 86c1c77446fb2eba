"""open_clip's native ViT, with either of its two kinds of block."""

from typing import Any

from open_clip.transformer import CustomResidualAttentionBlock, ResidualAttentionBlock
from torch import Tensor

from forensics.encoders.blocks.block import Block, Rows, unchanged
from forensics.encoders.blocks.tower import Tower
from forensics.errors import NotApplicable

_WEIGHT = "in_proj_weight"


def open_native(visual: Any) -> Tower:
    """Open a ``VisionTransformer`` of open_clip.

    Raises:
        NotApplicable: Its attention is not made of scaled products alone.
    """

    def finish(states: Tensor) -> Tensor:
        pooled: Tensor = visual._pool(states)[0]
        return pooled if visual.proj is None else pooled @ visual.proj

    return Tower(
        embed=visual._embeds,
        blocks=tuple(_block(block) for block in visual.transformer.resblocks),
        norm=unchanged if visual.attn_pool is not None else visual.ln_post,
        finish=finish,
        width=visual.class_embedding.shape[0],
        prefix=1,
        class_token=visual.attn_pool is None and visual.pool_type == "tok",
    )


def _block(block: Any) -> Block:
    if type(block) is ResidualAttentionBlock:
        return _default(block)
    if type(block) is CustomResidualAttentionBlock and block.attn.logit_scale is None:
        return _custom(block)
    raise NotApplicable(f"The blocks of the image tower ({type(block).__name__}) are not known.")


def _default(block: Any) -> Block:
    query, key, value = (_rows(block.attn, third) for third in range(3))
    return Block(
        plain=block,
        heads=block.attn.num_heads,
        norm=block.ln_1,
        query=query,
        key=key,
        value=value,
        output=lambda mixed, _: block.ls_1(block.attn.out_proj(mixed)),
        mlp=lambda states: block.ls_2(block.mlp(block.ln_2(states))),
    )


def _custom(block: Any) -> Block:
    """Open a block with norms inside its attention, and gains of heads."""
    attention = block.attn
    query, key, value = (_rows(attention, third) for third in range(3))

    def output(mixed: Tensor, _: Tensor) -> Tensor:
        if attention.head_scale is not None:
            gains = attention.head_scale.reshape(-1, 1)  # [head, 1]
            split = mixed.reshape(*mixed.shape[:2], attention.num_heads, -1)
            mixed = (split * gains).flatten(2)
        projected = attention.out_proj(attention.ln_inner(mixed))
        found: Tensor = block.ls_1(block.ln_attn(projected))
        return found

    return Block(
        plain=block,
        heads=attention.num_heads,
        norm=block.ln_1,
        query=query,
        key=key,
        value=value,
        query_norm=attention.ln_q,
        key_norm=attention.ln_k,
        output=output,
        mlp=lambda states: block.ls_2(block.mlp(block.ln_2(states))),
    )


def _rows(attention: Any, third: int) -> Rows:
    return Rows(owner=attention, weight=_WEIGHT, bias=lambda: attention.in_proj_bias, third=third)

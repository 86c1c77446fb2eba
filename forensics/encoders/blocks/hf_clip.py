"""CLIP and SigLIP of transformers, whose blocks carry the same names."""

from typing import Any

from torch import Tensor

from forensics.encoders.blocks.block import Block
from forensics.encoders.blocks.tower import Tower


def open_hf_clip(module: Any) -> Tower:
    """Open the image tower of a ``CLIPModel``, which pools its class token."""
    vision = module.vision_model

    def finish(states: Tensor) -> Tensor:
        found: Tensor = module.visual_projection(vision.post_layernorm(states[:, 0]))
        return found

    return Tower(
        embed=lambda pixels: vision.pre_layrnorm(vision.embeddings(pixels)),
        blocks=_blocks(vision),
        norm=vision.post_layernorm,
        finish=finish,
        width=vision.embeddings.embed_dim,
        prefix=1,
        class_token=True,
    )


def open_hf_siglip(module: Any) -> Tower:
    """Open the image tower of a ``SiglipModel``, which has patches and a pooling query only."""
    vision = module.vision_model
    return Tower(
        embed=vision.embeddings,
        blocks=_blocks(vision),
        norm=vision.post_layernorm,
        finish=lambda states: vision.head(vision.post_layernorm(states)),
        width=vision.embeddings.embed_dim,
        prefix=0,
        class_token=False,
    )


def _blocks(vision: Any) -> tuple[Block, ...]:
    return tuple(_block(layer) for layer in vision.encoder.layers)


def _block(layer: Any) -> Block:
    attention = layer.self_attn
    return Block(
        plain=lambda states: layer(states, attention_mask=None),
        heads=attention.num_heads,
        norm=layer.layer_norm1,
        query=attention.q_proj,
        key=attention.k_proj,
        value=attention.v_proj,
        output=lambda mixed, _: attention.out_proj(mixed),
        mlp=lambda states: layer.mlp(layer.layer_norm2(states)),
    )

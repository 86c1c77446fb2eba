"""Attention rows found another way: full maps, by the libraries' own slow paths."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor
from transformers import AutoModel


def reference_rows(encoder: Any, folder: Path, pixels: Tensor) -> Tensor:
    """Return the pooling token's rows over all tokens, ``[batch, layer, head, token]``."""
    shade = encoder.preprocessing
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (shade.mean, shade.std))
    normal = (pixels - mean) / std
    with torch.no_grad():
        if encoder.library == "transformers":
            return _transformers(encoder, folder, normal)
        visual = encoder.module.visual
        if hasattr(visual, "attnpool"):
            return _resnet(visual, normal)
        if hasattr(visual, "trunk"):
            return _timm(visual, normal)
        return _native(visual, normal)


def _inputs(modules: list[Any], run: Any) -> list[tuple[Any, ...]]:
    """Run, and return what each module was given."""
    seen: list[tuple[Any, ...]] = []
    handles = [
        module.register_forward_pre_hook(lambda _m, args, _k: seen.append(args), with_kwargs=True)
        for module in modules
    ]
    run()
    for handle in handles:
        handle.remove()
    return seen


def _native(visual: Any, normal: Tensor) -> Tensor:
    blocks = [block.attn for block in visual.transformer.resblocks]
    given = _inputs(blocks, lambda: visual(normal))
    rows = []
    for attention, (x, *_) in zip(blocks, given, strict=True):
        if isinstance(attention, torch.nn.MultiheadAttention):
            full = attention(x, x, x, need_weights=True, average_attn_weights=False)[1]
        else:
            query, key, _ = nnf.linear(x, attention.in_proj_weight, attention.in_proj_bias).chunk(
                3, dim=-1
            )
            query, key = (t.unflatten(2, (attention.num_heads, -1)).mT for t in (query, key))
            query, key = attention.ln_q(query.mT), attention.ln_k(key.mT)
            scores = torch.einsum("bqhd,bkhd->bhqk", query, key) * attention.head_dim**-0.5
            full = scores.softmax(dim=-1)
        rows.append(full[:, :, 0])
    return torch.stack(rows, dim=1)


def _timm(visual: Any, normal: Tensor) -> Tensor:
    trunk = visual.trunk
    pool = trunk.attn_pool
    if pool is None:
        blocks = [block.attn for block in trunk.blocks]
        for attention in blocks:
            attention.fused_attn = False
        given = _inputs([attention.attn_drop for attention in blocks], lambda: visual(normal))
        for attention in blocks:
            attention.fused_attn = True
        return torch.stack([full[:, :, 0] for full, *_ in given], dim=1)
    ((x, *_),) = _inputs([pool], lambda: visual(normal))
    query = pool.q(pool.latent)[0, 0].unflatten(0, (pool.num_heads, -1))
    key = pool.kv(x).unflatten(2, (2, pool.num_heads, -1))[:, :, 0]
    scores = torch.einsum("hd,bkhd->bhk", query, key) * pool.scale
    return scores.softmax(dim=-1)[:, None]


def _resnet(visual: Any, normal: Tensor) -> Tensor:
    pool = visual.attnpool
    ((x, *_),) = _inputs([pool], lambda: visual(normal))
    x = x.flatten(2).permute(0, 2, 1)
    x = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1) + pool.positional_embedding
    query, key = (proj(x).unflatten(2, (pool.num_heads, -1)) for proj in (pool.q_proj, pool.k_proj))
    scores = torch.einsum("bhd,bkhd->bhk", query[:, 0], key) * query.shape[-1] ** -0.5
    return scores.softmax(dim=-1)[:, None]


def _transformers(encoder: Any, folder: Path, normal: Tensor) -> Tensor:
    if encoder.module.config.model_type == "clip":
        eager = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
        maps = eager.vision_model(pixel_values=normal, output_attentions=True).attentions
        return torch.stack([full[:, :, 0] for full in maps], dim=1)
    head = encoder.module.vision_model.head
    ((probe, x, _),) = _inputs([head.attention], lambda: encoder._image_features(normal))
    full = head.attention(probe, x, x, need_weights=True, average_attn_weights=False)[1]
    return full[:, :, 0][:, None]

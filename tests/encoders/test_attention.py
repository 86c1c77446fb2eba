"""Rows read at torch's two attention functions, however a tower calls them."""

from typing import Any

import pytest
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from forensics.encoders.attention import PoolingPlace, PoolingRecorder
from forensics.errors import ModelError

BATCH, HEADS, TOKENS, DIM = 2, 4, 7, 8
PLACE = PoolingPlace(pooling="attention pooling", rows=2, columns=3, prefix=1, layers=1)


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


def row_of(found: Any) -> Tensor:
    return torch.cat([found.rest[..., None], found.maps], dim=-1)[:, 0]


@pytest.mark.parametrize("scale", [None, 0.5])
@pytest.mark.parametrize("mask", [None, "boolean", "additive"])
def test_fused_attention_with_masks_and_scales(scale: float | None, mask: str | None) -> None:
    query, key, value = drawn(3, BATCH, HEADS, TOKENS, DIM) * 3
    allowed = torch.ones(TOKENS, TOKENS, dtype=torch.bool)
    allowed[0, 4] = False
    added = torch.zeros(TOKENS, TOKENS).masked_fill(~allowed, float("-inf"))
    given = {None: None, "boolean": allowed, "additive": added}[mask]
    with PoolingRecorder(BATCH) as recorder:
        out = nnf.scaled_dot_product_attention(query, key, value, attn_mask=given, scale=scale)
    scores = query @ key.mT * (DIM**-0.5 if scale is None else scale)
    wanted = (scores if given is None else scores + added).softmax(-1)
    assert torch.allclose(out, wanted @ value, atol=1e-5), "the call itself is as ever"
    assert torch.allclose(row_of(recorder.attention(PLACE)), wanted[:, :, 0], atol=1e-6)


def test_heads_folded_into_the_batch_as_older_open_clip_has_them() -> None:
    query, key, value = drawn(3, BATCH, HEADS, TOKENS, DIM) * 3
    with PoolingRecorder(BATCH) as recorder:
        nnf.scaled_dot_product_attention(
            query.flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1)
        )
    wanted = (query @ key.mT * DIM**-0.5).softmax(-1)[:, :, 0]
    assert torch.allclose(row_of(recorder.attention(PLACE)), wanted, atol=1e-6)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("context", [HEADS * DIM, 12], ids=["one width", "two widths"])
def test_torchs_own_module(batch_first: bool, masked: bool, context: int) -> None:
    torch.manual_seed(0)
    width = HEADS * DIM
    module = nn.MultiheadAttention(
        width, HEADS, batch_first=batch_first, kdim=context, vdim=context
    ).eval()
    nn.init.normal_(module.in_proj_bias)
    query, key = drawn(BATCH, 3, width) * 2, drawn(BATCH, TOKENS, context, 1)[..., 0] * 2
    if not batch_first:
        query, key = query.transpose(0, 1), key.transpose(0, 1)
    mask = torch.zeros(3, TOKENS, dtype=torch.bool)
    mask[0, 2] = masked  # here, True means: do not attend
    with torch.no_grad():
        wanted = module(query, key, key, attn_mask=mask, average_attn_weights=False)[1]
        with PoolingRecorder(BATCH) as recorder:
            module(query, key, key, attn_mask=mask, need_weights=False)
    assert torch.allclose(row_of(recorder.attention(PLACE)), wanted[:, :, 0], atol=1e-6)
    assert bool((wanted[:, :, 0, 2] == 0).all()) == masked


def test_a_tower_that_runs_something_else_is_told() -> None:
    query, key, value = drawn(3, BATCH, HEADS, TOKENS, DIM)
    with PoolingRecorder(BATCH) as recorder:
        nnf.scaled_dot_product_attention(query, key, value)
    place = PoolingPlace(pooling="class token", rows=2, columns=3, prefix=1, layers=2)
    with pytest.raises(ModelError, match="ran 1 attention layers that could be read; 2 with 7"):
        recorder.attention(place)
    with pytest.raises(ModelError, match="ran 0"):
        PoolingRecorder(BATCH).attention(PLACE)


def test_nothing_is_recorded_outside_the_block() -> None:
    query, key, value = drawn(3, BATCH, HEADS, TOKENS, DIM)
    recorder = PoolingRecorder(BATCH)
    with recorder:
        nnf.scaled_dot_product_attention(query, key, value)
    nnf.scaled_dot_product_attention(key, query, value)
    wanted = (query @ key.mT * DIM**-0.5).softmax(-1)[:, :, 0]
    assert torch.allclose(row_of(recorder.attention(PLACE)), wanted, atol=1e-6)

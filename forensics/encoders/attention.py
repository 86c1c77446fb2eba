"""Where the token that becomes the image embedding looks, read during an ordinary forward pass.

The image towers of open_clip (release and main line), timm and transformers all end in one of two
functions of torch: ``scaled_dot_product_attention`` and ``multi_head_attention_forward``. Both are
watched while a batch runs. Query and key are taken as the tower made them, with whatever norms and
rotations it applies, and one softmax row a head is computed beside the fast kernel that the tower
uses; a full map is never kept.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as nnf
from torch import Tensor
from torch.overrides import TorchFunctionMode

from forensics.encoders.base import PoolingAttention
from forensics.errors import ModelError

_SDPA = nnf.scaled_dot_product_attention
_SDPA_NAMES = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
_MHA = nnf.multi_head_attention_forward
_MHA_SIGNATURE = inspect.signature(_MHA)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingPlace:
    """Where in a tower the image embedding is pooled.

    Attributes:
        pooling: See :class:`forensics.encoders.base.PoolingAttention`.
        rows: Patches from top to bottom.
        columns: Patches from left to right.
        prefix: Tokens before the patches that are none: class token, registers.
        layers: How many attention layers pool: every block for a class token, 1 for a pooling
            layer, which is the last attention of the tower.
    """

    pooling: Literal["class token", "attention pooling"]
    rows: int
    columns: int
    prefix: int
    layers: int


class PoolingRecorder(TorchFunctionMode):
    """Keeps the attention row of the first query of every attention call inside a ``with`` block.

    In the towers that we know, the first query is the class token or the pooling query.

    Args:
        batch: Pictures in the batch.
    """

    def __init__(self, batch: int) -> None:
        super().__init__()
        self._batch = batch
        self._rows: list[Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Look at an attention call, and let every call pass unchanged."""
        given = kwargs or {}
        if func is _SDPA:
            named = dict(zip(_SDPA_NAMES, args, strict=False)) | given
            self._rows.append(_fused_row(named, self._batch))
        elif func is _MHA:
            bound = _MHA_SIGNATURE.bind(*args, **given)
            bound.apply_defaults()
            self._rows.append(_module_row(bound.arguments))
        return func(*args, **given)

    def attention(self, place: PoolingPlace, *, behind: int = 0) -> PoolingAttention:
        """Return what the pass left.

        Args:
            place: Where the tower pools.
            behind: Further keys behind the tokens of the picture that a layer may have: prompts.

        Raises:
            ModelError: The tower did not run the attention that was expected of it.
        """
        patches = place.rows * place.columns
        tokens = place.prefix + patches
        rows = self._rows if place.pooling == "class token" else self._rows[-1:]
        expected = (tokens, tokens + behind)
        if len(rows) != place.layers or any(row.shape[2] not in expected for row in rows):
            raise ModelError(
                f"The image tower ran {len(self._rows)} attention layers that could be read; "
                f"{place.layers} with {tokens} tokens were expected.",
                remedy="Its attention must go through torch's own functions.",
            )
        maps = [row[..., place.prefix : tokens] for row in rows]
        rest = [row[..., : place.prefix].sum(-1) + row[..., tokens:].sum(-1) for row in rows]
        return PoolingAttention(
            maps=torch.stack(maps, dim=1),
            rest=torch.stack(rest, dim=1),
            rows=place.rows,
            columns=place.columns,
            pooling=place.pooling,
        )


def first_row(query: Tensor, key: Tensor, scale: float | None, mask: Tensor | None) -> Tensor:
    """Compute the softmax row of the first query.

    Args:
        query: ``[batch, head, query, dim]``.
        key: ``[batch, head, key, dim]``.
        scale: Factor on the products; ``None`` = 1/sqrt(dim).
        mask: Broadcasts to ``[batch, head, query, key]``: boolean (True = attend) or additive.

    Returns:
        ``[batch, head, key]`` float32; each row sums to 1.
    """
    first = query[:, :, :1].float()
    scores = torch.matmul(first, key.float().transpose(2, 3))
    scores = scores * (query.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        row = mask[..., :1, :]
        scores = (
            scores.masked_fill(~row, float("-inf"))
            if row.dtype == torch.bool
            else scores + row.float()
        )
    return scores.softmax(dim=-1)[:, :, 0]


def _fused_row(named: dict[str, Any], batch: int) -> Tensor:
    """Row of ``scaled_dot_product_attention``; heads may be folded into the batch."""
    query, key = (_unfolded(named[name], batch) for name in ("query", "key"))
    mask = named.get("attn_mask")
    if mask is not None and mask.ndim == 3:
        mask = _unfolded(mask, batch)
    return first_row(query, key, named.get("scale"), mask)


def _unfolded(values: Tensor, batch: int) -> Tensor:
    """Bring ``[batch * head, token, dim]``, as open_clip's older code has it, into four axes."""
    return values if values.ndim == 4 else values.reshape(batch, -1, *values.shape[1:])


def _module_row(named: dict[str, Any]) -> Tensor:
    """Row of ``multi_head_attention_forward``, whose inputs are ``[token, batch, width]``."""
    query, key, heads = named["query"], named["key"], named["num_heads"]
    if named["use_separate_proj_weight"]:
        weights = (named["q_proj_weight"], named["k_proj_weight"])
    else:
        weights = named["in_proj_weight"].chunk(3)[:2]
    bias = named["in_proj_bias"]
    biases = (None, None) if bias is None else bias.chunk(3)[:2]
    split = [
        # token, batch, head, dim -> batch, head, token, dim
        nnf.linear(values, weight, shift).reshape(*values.shape[:2], heads, -1).permute(1, 2, 0, 3)
        for values, weight, shift in zip((query[:1], key), weights, biases, strict=True)
    ]
    mask = named["attn_mask"]
    if mask is not None:
        mask = mask.reshape(-1, heads, *mask.shape[1:]) if mask.ndim == 3 else mask
        mask = ~mask if mask.dtype == torch.bool else mask  # there, True means: do not attend
    return first_row(split[0], split[1], None, mask)

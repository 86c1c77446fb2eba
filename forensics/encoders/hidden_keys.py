"""Hide tokens from attention: nobody looks at them, while all others stay where they are."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor
from torch.overrides import TorchFunctionMode

from forensics.errors import ModelError

_SDPA = nnf.scaled_dot_product_attention
_SDPA_NAMES = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
_MHA = nnf.multi_head_attention_forward
_MHA_SIGNATURE = inspect.signature(_MHA)


class HiddenKeys(TorchFunctionMode):
    """Takes tokens out of every attention inside a ``with`` block, as keys.

    Positions, order and pooling are those of the whole sequence. Towers of open_clip, timm and
    transformers all end in the two functions of torch that are watched here. At least one token of
    a sequence must stay visible to every query: the begin token of a causal tower.

    Args:
        hidden: ``[batch, token]`` bool, True = hidden.
    """

    def __init__(self, hidden: Tensor) -> None:
        super().__init__()
        self._hidden = hidden
        self._calls = 0

    def __exit__(self, *given: Any) -> None:
        """End the block.

        Raises:
            ModelError: No attention ran that could be changed.
        """
        super().__exit__(*given)  # type: ignore[no-untyped-call]
        if given[0] is None and not self._calls:
            raise ModelError(
                "The tower ran no attention in which tokens can be hidden.",
                remedy="Its attention must go through torch's own functions.",
            )

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Change the mask of an attention call, and let every other call pass unchanged."""
        given = kwargs or {}
        if func is _SDPA:
            named = dict(zip(_SDPA_NAMES, args, strict=False)) | given
            self._calls += 1
            return func(**self._masked(named))
        if func is _MHA:
            bound = _MHA_SIGNATURE.bind(*args, **given)
            bound.apply_defaults()
            self._calls += 1
            return func(**self._padded(bound.arguments))
        return func(*args, **given)

    def _masked(self, named: dict[str, Any]) -> dict[str, Any]:
        """Add to the mask of ``scaled_dot_product_attention``; heads may lie in the batch."""
        query, key = named["query"], named["key"]
        self._check(key.shape[-2])
        blocked = _blocked(self._hidden, query.dtype)[:, None, None, :]
        if query.ndim == 3:
            heads = len(query) // len(self._hidden)
            blocked = blocked[:, 0].repeat_interleave(heads, dim=0)
        mask = named.get("attn_mask")
        if named.get("is_causal"):
            shape = (query.shape[-2], key.shape[-2])
            seen = torch.ones(shape, dtype=torch.bool, device=query.device).tril()
            mask = _blocked(~seen, query.dtype)
        elif mask is not None and mask.dtype == torch.bool:
            mask = _blocked(~mask, query.dtype)
        return named | {"attn_mask": blocked if mask is None else mask + blocked,
                        "is_causal": False}  # fmt: skip

    def _padded(self, named: dict[str, Any]) -> dict[str, Any]:
        """Add to the padding of ``multi_head_attention_forward``: ``[batch, token]``."""
        key, mask, padding = named["key"], named["attn_mask"], named["key_padding_mask"]
        self._check(key.shape[0])
        kind = mask.dtype if mask is not None and mask.is_floating_point() else key.dtype
        hidden = self._hidden
        if padding is not None and padding.dtype == torch.bool:
            hidden, padding = hidden | padding, None
        blocked = _blocked(hidden, kind)
        changed = {"key_padding_mask": blocked if padding is None else padding + blocked}
        if mask is not None and mask.dtype == torch.bool:
            changed["attn_mask"] = _blocked(mask, kind)
        return named | changed

    def _check(self, keys: int) -> None:
        if keys != self._hidden.shape[1]:
            raise ModelError(
                f"The tower attends to {keys} tokens; {self._hidden.shape[1]} were expected.",
                remedy="Tokens of this tower cannot be hidden.",
            )


def _blocked(hidden: Tensor, kind: torch.dtype) -> Tensor:
    """Return an additive mask: minus infinity where something is hidden."""
    return torch.zeros(hidden.shape, dtype=kind, device=hidden.device).masked_fill(
        hidden, float("-inf")
    )

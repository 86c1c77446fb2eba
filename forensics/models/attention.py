"""Record the attention that predicts the first answer token, at the price of a plain prefill.

``output_attentions=True`` makes transformers fall back to eager attention and keep ``[batch, head,
query, key]`` for every layer. The recorder instead registers an attention function that lets sdpa
compute the output and works out one extra row: the softmax of the last query against all keys, in
float32. Only that row, reduced to image tokens and component masses, is ever kept.

Source: BYE (arXiv 2505.16916), step 1 and Eq. 4; the three masses serve TCAP (arXiv 2601.21692).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from forensics.errors import ModelError
from forensics.models.base import SYSTEM, TEXT, VISION, AttentionRows, GenerativeModel, PromptBatch
from forensics.models.embedding import EmbeddingTap

IMPLEMENTATION = "triggerlens_last_row"


class AttentionRecorder:
    """Collects one attention row per decoder layer while a prompt is run.

    Args:
        layers: Decoder layers of the model.
        tap: Reads the two embeddings of the same pass.
        keep_heads: Also keep the image row of every single head.
    """

    def __init__(self, layers: int, tap: EmbeddingTap, *, keep_heads: bool = False) -> None:
        self.layers = layers
        self._tap = tap
        self.keep_heads = keep_heads
        self._begun = False
        self._image: list[Tensor | None] = []
        self._heads: list[Tensor | None] = []
        self._masses: list[Tensor | None] = []

    def begin(self, batch: PromptBatch) -> None:
        """Prepare for the forward pass of ``batch``; what was recorded before is dropped."""
        self._tap.begin(batch)
        components = batch.components
        vision = components == VISION
        self._counts = vision.sum(dim=1)
        width = int(self._counts.max()) if len(vision) else 0
        # Stable sort puts each row's image positions first, in order, whatever surrounds them.
        order = (~vision).to(torch.int8).argsort(dim=1, stable=True)[:, :width]
        self._positions = order
        self._valid = torch.arange(width, device=order.device) < self._counts[:, None]
        self._membership = torch.stack(
            [(components == code).float() for code in (SYSTEM, VISION, TEXT)], dim=2
        )
        self._image = [None] * self.layers
        self._heads = [None] * self.layers
        self._masses = [None] * self.layers
        self._begun = True

    def observe(self, layer: int, row: Tensor) -> None:
        """Keep what is needed of one layer's row, ``[batch, head, key]`` float32."""
        if not self._begun or row.shape[-1] != self._membership.shape[1]:
            return
        self._masses[layer] = torch.einsum("bhk,bkc->bhc", row, self._membership)
        index = self._positions[:, None, :].expand(-1, row.shape[1], -1)
        heads = row.gather(2, index) * self._valid[:, None, :]
        self._image[layer] = heads.mean(dim=1)
        if self.keep_heads:
            self._heads[layer] = heads

    def rows(self) -> AttentionRows:
        """Return what the last forward pass left.

        Raises:
            ModelError: A decoder layer does not go through transformers' attention interface.
        """
        missing = [layer for layer, value in enumerate(self._image) if value is None]
        state, picture = self._tap.state, self._tap.picture
        if missing or not self._image or state is None or picture is None:
            raise ModelError(
                f"No attention was seen in decoder layers {missing}.",
                remedy="The model must use the attention interface of transformers.",
            )
        return AttentionRows(
            image=torch.stack([value for value in self._image if value is not None], dim=1),
            masses=torch.stack([value for value in self._masses if value is not None], dim=1),
            heads=torch.stack([value for value in self._heads if value is not None], dim=1)
            if self.keep_heads
            else None,
            counts=self._counts,
            state=state,
            picture=picture,
        )


_active: ContextVar[AttentionRecorder | None] = ContextVar("attention_recorder", default=None)


def last_row(query: Tensor, key: Tensor, mask: Tensor | None, scaling: float | None) -> Tensor:
    """Compute the softmax row of the last query position.

    Args:
        query: ``[batch, head, query, dim]``.
        key: ``[batch, key head, key, dim]``; fewer key heads than heads means grouped queries.
        mask: ``[batch, 1, query, key]`` boolean (True = attend) or additive; ``None`` = all keys,
            which is what a causal mask leaves to the last position.
        scaling: Factor on the products; ``None`` = 1/sqrt(dim).

    Returns:
        ``[batch, head, key]`` float32, each row sums to 1.
    """
    batch, heads, _, dim = query.shape
    key_heads = key.shape[1]
    last = query[:, :, -1].reshape(batch, key_heads, heads // key_heads, dim)
    scores = torch.matmul(last, key.transpose(2, 3)).float()
    scores *= dim**-0.5 if scaling is None else scaling
    if mask is not None:
        final = mask[:, :, -1:, : key.shape[2]]
        if final.dtype == torch.bool:
            scores.masked_fill_(~final, torch.finfo(scores.dtype).min)
        else:
            scores += final.float()
    return scores.softmax(dim=-1).reshape(batch, heads, -1)


def _recording_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    recorder = _active.get()
    # One query position means a decoding step after the prefill: not the row we look for.
    if recorder is not None and query.shape[2] > 1:
        layer = getattr(module, "layer_idx", None)
        if layer is not None:
            recorder.observe(int(layer), last_row(query, key, attention_mask, scaling))
    output, _ = sdpa_attention_forward(
        module, query, key, value, attention_mask, scaling=scaling, **kwargs
    )
    return output, None


AttentionInterface.register(IMPLEMENTATION, _recording_attention)
# Without a mask function of the same name no mask is built and padding would be attended to.
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)


@contextmanager
def record_attention(
    model: GenerativeModel, *, keep_heads: bool = False
) -> Iterator[AttentionRecorder]:
    """Record attention inside the ``with`` block; the model is as before afterwards.

    Call :meth:`AttentionRecorder.begin` with a batch, run it, read :meth:`AttentionRecorder.rows`.

    Args:
        model: An opened model.
        keep_heads: Also keep every head's image row (memory grows by the number of heads).
    """
    config = model.module.config.get_text_config()
    previous = config._attn_implementation
    tap = EmbeddingTap(model.module)
    recorder = AttentionRecorder(model.layers, tap, keep_heads=keep_heads)
    token = _active.set(recorder)
    # Only the decoder is switched: the vision tower keeps its own attention.
    config._attn_implementation = IMPLEMENTATION
    try:
        with tap:
            yield recorder
    finally:
        config._attn_implementation = previous
        _active.reset(token)


def image_entropy(image: Tensor, counts: Tensor) -> Tensor:
    """Entropy of the renormalised image row (Eq. 5, with the official code's 1e-8 in the log).

    Args:
        image: ``[batch, layer, image token]`` attention, any scale.
        counts: ``[batch]`` image tokens of each sample; tokens past it are ignored.

    Returns:
        ``[batch, layer]`` float32 in nats, 0 = one token holds all, ln(count) = uniform; NaN
        where no attention falls on the image.
    """
    valid = torch.arange(image.shape[2], device=image.device) < counts[:, None]
    share = image / image.sum(dim=2, keepdim=True)
    terms = share * torch.log(share + 1e-8) * valid[:, None, :]
    return -terms.sum(dim=2)

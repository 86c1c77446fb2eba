"""The tokens of captions: which may be weighed, and captions in which some are hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.encoders.hidden_keys import HiddenKeys
from forensics.errors import NotApplicable


@dataclass(frozen=True, slots=True, kw_only=True)
class Captions:
    """Tokenized captions.

    Attributes:
        ids: ``[captions, length]``.
        content: ``[captions, length]`` bool: tokens of the text itself; begin, end and padding are
            always kept and never weighed.
        pad: Id of the padding.
        end: Id of the end token.
    """

    ids: Tensor
    content: Tensor
    pad: int
    end: int

    def part(self, chosen: Sequence[int]) -> "Captions":
        """Return some captions."""
        places = list(chosen)
        return Captions(
            ids=self.ids[places], content=self.content[places], pad=self.pad, end=self.end
        )


def read_captions(encoder: DualEncoder, texts: Sequence[str]) -> Captions:
    """Tokenize captions and tell content from frame.

    What the tokenizer makes of nothing at all shows the frame: a begin token, if there is one, the
    end token, then padding.
    """
    ids = encoder.tokenize(texts)
    frame = encoder.tokenize([""])[0]
    first = int(frame[0])
    begins = bool(len(ids)) and bool((ids[:, 0] == first).all())
    start = 1 if begins else 0
    end, pad = int(frame[start]), int(frame[-1])
    places = torch.arange(ids.shape[1], device=ids.device)
    ended = (ids == end).long()
    ended[:, :start] = 0
    length = ids.shape[1]
    stops = torch.where(ended.any(dim=1), ended.argmax(dim=1), torch.tensor(length).to(ids))
    content = (places >= start) & (places < stops[:, None])
    return Captions(ids=ids, content=content, pad=pad, end=end)


def encode_without(
    encoder: DualEncoder, captions: Captions, dropped: Tensor, how: str = "hide"
) -> Tensor:
    """Encode captions with some of their tokens dropped.

    Args:
        encoder: Any.
        captions: Tokenized for it.
        dropped: ``[captions, length]`` bool.
        how: ``hide``: no token attends to them, positions and pooling stay. ``pad``: padding stands
            in their place.

    Returns:
        Unit vectors ``[captions, width]``, differentiable in the weights.

    Raises:
        NotApplicable: ``pad`` where padding is the end token: the pooling would move there.
    """
    ids = captions.ids
    if how == "pad":
        if captions.pad == captions.end:
            raise NotApplicable(
                "The tokenizer pads with its end token: padding inside a caption would end it.",
                remedy="Hide the tokens instead: --dropped-tokens hide",
            )
        ids = ids.masked_fill(dropped, captions.pad)
        return encoder.encode_embedded(encoder.embed_tokens(ids), ids)
    with HiddenKeys(dropped):
        return encoder.encode_embedded(encoder.embed_tokens(ids), ids)


def token_texts(encoder: DualEncoder, captions: Captions, row: int) -> list[str]:
    """Return the text of every content token of one caption, for people."""
    ids = captions.ids[row][captions.content[row]].tolist()
    tokenizer = _tokenizer(encoder)
    return [str(tokenizer.decode([token])) for token in ids]


def _tokenizer(encoder: DualEncoder) -> Any:
    holder: Any = encoder
    if hasattr(holder, "processor"):
        return holder.processor.tokenizer
    # open_clip's own, or the one of transformers that it wraps.
    return getattr(holder.tokenizer, "tokenizer", holder.tokenizer)

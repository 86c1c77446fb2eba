"""Sentences about classes in which learnt vectors stand for words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.errors import NotApplicable, OptionError

Position = Literal["end", "middle", "front"]
POSITIONS: tuple[Position, ...] = ("end", "middle", "front")
_PROBES = ("a", "z", "7")
_RANDOM_STD = 0.02  # as CoOp initialises


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPlan:
    """Where words and learnt vectors go, for every class.

    Attributes:
        ids: ``[classes, length]`` token ids; at the places of learnt vectors stands some word.
        words: ``[classes, length, text width]`` word vectors of ``ids``, no gradient.
        places: ``[classes, vectors]`` positions of the learnt vectors, in order.
    """

    ids: Tensor
    words: Tensor
    places: Tensor

    def filled(self, context: Tensor) -> Tensor:
        """Put learnt vectors at their places.

        Args:
            context: ``[vectors, width]``, or ``[classes, vectors, width]``, or with a batch axis
                ``[batch, classes, vectors, width]``.

        Returns:
            ``[classes, length, width]``, or ``[batch, classes, length, width]``; differentiable in
            ``context``.
        """
        classes, vectors = self.places.shape
        width = self.words.shape[-1]
        batch = context.shape[:-3]
        context = context.expand(*batch, classes, vectors, width)
        index = self.places[:, :, None].expand(*batch, classes, vectors, width)
        return self.words.expand(*batch, *self.words.shape).scatter(-2, index, context)


def plan_prompts(
    encoder: DualEncoder, classes: Sequence[str], vectors: int, position: Position = "end"
) -> PromptPlan:
    """Lay out ``[start] v1 ... vM name . [end]``, as CoOp does (arXiv 2109.01134, section 3.2).

    The name is tokenized alone and moved to the right by the learnt vectors; word-wise tokenizers
    as CLIP's give the same tokens that CoOp's own "X X X X name." gives.

    Args:
        encoder: Whose tokenizer and word vectors.
        classes: Names; underscores are blanks, as CoOp has it.
        vectors: Learnt vectors in each sentence.
        position: Where the name stands: behind, amid or before the learnt vectors.

    Raises:
        OptionError: A sentence is longer than the text tower reads.
        NotApplicable: The tokenizer pads at the left.
    """
    names = [name.replace("_", " ") for name in classes]
    with torch.no_grad():
        start, padding = _frame(encoder)
        ids = encoder.tokenize([f"{name}." for name in names])
        _check_room(ids, classes, vectors, padding)
        filler = ids[:, start : start + 1].expand(-1, vectors)
        ids = torch.cat([ids[:, :start], filler, ids[:, start : ids.shape[1] - vectors]], dim=1)
        lengths = _name_lengths(encoder, names, start, padding).to(ids.device)
        order = torch.arange(vectors, device=ids.device) + start
        before = {"end": vectors, "middle": vectors // 2, "front": 0}[position]
        places = order + (order >= start + before) * lengths[:, None]
        ids = _moved(ids, places, lengths, start, before)
        return PromptPlan(ids=ids, words=encoder.embed_tokens(ids).detach(), places=places)


def first_context(
    encoder: DualEncoder, *, words: str | None = None, vectors: int = 4, seed: int = 0
) -> Tensor:
    """Make learnt vectors to begin with: those of ``words``, else small random ones.

    Args:
        encoder: Whose word vectors.
        words: Such as "a photo of a"; their number of tokens then is the number of vectors.
        vectors: How many, without ``words``.
        seed: Of the random ones.

    Returns:
        ``[vectors, text width]`` float32.
    """
    with torch.no_grad():
        start, padding = _frame(encoder)
        ids = encoder.tokenize([words or "a"])
        embedded = encoder.embed_tokens(ids)[0]
        if words is None:
            draw = torch.Generator().manual_seed(seed)
            made = torch.randn(vectors, embedded.shape[1], generator=draw) * _RANDOM_STD
            return made.to(embedded.device)
        count = int(_used(ids, padding)[0]) - start - _closing(encoder, padding)
        return embedded[start : start + count].clone()


def used_length(ids: Tensor) -> int:
    """Count the tokens of the longest text, and one of the padding that all texts end in.

    Many tokenizers pad with the token that ends a text, so one of them has to stay.

    Args:
        ids: ``[texts, length]``.
    """
    return int(_used(ids, int(ids[0, -1])).max()) + 1


def _frame(encoder: DualEncoder) -> tuple[int, int]:
    """Return how many tokens begin every text (0 or 1), and the id of padding."""
    ids = encoder.tokenize(_PROBES)
    if bool((ids[:, 0] == ids[:, 1]).all()):
        raise NotApplicable(
            "The tokenizer pads texts at the left; learnt prompts need it at the right.",
            remedy="Set padding_side to right in tokenizer_config.json.",
        )
    return int(bool((ids[:, 0] == ids[0, 0]).all())), int(ids[0, -1])


def _used(ids: Tensor, padding: int) -> Tensor:
    """Count the tokens of each text before its padding; of padding that also ends, one counts."""
    is_padding = ids == padding
    trailing = is_padding.flip(1).to(torch.int64).cumprod(dim=1).sum(dim=1)
    return ids.shape[1] - trailing


def _closing(encoder: DualEncoder, padding: int) -> int:
    """Count the tokens that end every text and are no padding (0 or 1)."""
    ids = encoder.tokenize(_PROBES)
    last = ids[torch.arange(len(_PROBES)), (_used(ids, padding) - 1).cpu()]
    return int(bool((last == last[0]).all()))


def _name_lengths(encoder: DualEncoder, names: list[str], start: int, padding: int) -> Tensor:
    """Count the tokens of the names alone, without the full stop."""
    ids = encoder.tokenize(names)
    return _used(ids, padding) - start - _closing(encoder, padding)


def _check_room(ids: Tensor, classes: Sequence[str], vectors: int, padding: int) -> None:
    length = ids.shape[1]
    # One more than the words: where padding also ends a text, one of it has to stay.
    for name, used in zip(classes, _used(ids, padding).tolist(), strict=True):
        if used + vectors + 1 > length:
            raise OptionError(
                f"Class {name[:80]!r} has {used} tokens; with {vectors} learnt vectors that is "
                f"more than the {length} that the text tower reads.",
                remedy="Shorten the name, or take fewer vectors.",
            )


def _moved(ids: Tensor, places: Tensor, lengths: Tensor, start: int, before: int) -> Tensor:
    """Bring the name before those learnt vectors that stand behind it."""
    behind = places.shape[1] - before
    if not behind:
        return ids
    columns = torch.arange(ids.shape[1], device=ids.device)[None].repeat(len(ids), 1)
    first = start + before  # here stand ``behind`` fillers, then the name
    in_name = (columns >= first) & (columns < first + lengths[:, None])
    in_fill = (columns >= first + lengths[:, None]) & (columns < first + lengths[:, None] + behind)
    source = torch.where(in_name, columns + behind, columns)
    source = torch.where(in_fill, columns - lengths[:, None], source)
    return ids.gather(1, source)

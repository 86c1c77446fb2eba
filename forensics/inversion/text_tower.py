"""Sentences that differ in few words, encoded with what they share computed once.

In a causal text tower a token sees only what is before it. So tokens behind the end of a sentence
change nothing, and the states of its beginning - start token and learnt words, the same for all
classes of one picture - need to be computed once a picture, not once a class. In the last block
only the pooled token is needed. All of it is exact but for the order of additions.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from forensics.classifiers.cocoop import CoCoOp
from forensics.encoders.base import DualEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys and values of the beginning of sentences, ``[pictures, heads, length, width]`` each."""

    key: Tensor
    value: Tensor


class SharedPrefix:
    """Text vectors of a CoCoOp head on open_clip's own causal text tower.

    Args:
        classifier: Whose prompts.

    Raises:
        AttributeError: The tower is built in another way (so does any other surprise); whoever
            makes one of these tries it first, see :func:`agrees`.
    """

    def __init__(self, classifier: CoCoOp) -> None:
        tower: Any = getattr(classifier.encoder.module, "text", classifier.encoder.module)
        plan = classifier.plan
        last = plan.places.shape[1] - 1
        if not bool((plan.places == plan.places[:1]).all()) or tower.attn_mask is None:
            raise AttributeError("learnt words stand at different places, or nothing is causal")
        if getattr(tower, "use_pad_mask", False) or getattr(tower, "cls_emb", None) is not None:
            raise AttributeError("the tower also masks padding")
        self.begin = int(plan.places[0, last]) + 1
        self.ends = _pooled_places(tower, plan.ids)
        length = int(self.ends.max()) + 1
        self.tower, self.blocks = tower, list(tower.transformer.resblocks)
        self.dtype = tower.transformer.get_cast_dtype()
        positions = tower.positional_embedding[:length].detach().to(self.dtype)
        words = plan.words[:, :length].to(self.dtype) + positions
        self.start, self.tails = words[:1, : self.begin], words[:, self.begin :]
        self.places, self.positions = plan.places[0], positions

    def begun(self, shifted: Tensor) -> list[Keys]:
        """Compute what all classes share.

        Args:
            shifted: Learnt words of each picture, ``[n, vectors, width]``.
        """
        index = self.places[None, :, None].expand_as(shifted)
        moved = shifted.to(self.dtype) + self.positions[self.places]
        states = self.start.expand(len(shifted), -1, -1).scatter(1, index, moved)
        kept = []
        for number, block in enumerate(self.blocks):
            query, key, value = _project(block, block.ln_1(states))
            kept.append(Keys(key=key, value=value))
            if number + 1 < len(self.blocks):  # of the last block only keys and values are seen
                mixed = nnf.scaled_dot_product_attention(query, key, value, is_causal=True)
                states = _finish(block, states, mixed)
        return kept

    def ended(self, begun: list[Keys], classes: Tensor) -> Tensor:
        """Compute the rest for some classes of each picture.

        Args:
            begun: From :meth:`begun`, for n pictures.
            classes: ``[n, m]`` which ones.

        Returns:
            Unit vectors ``[n, m, width]`` float32.
        """
        count, each = classes.shape
        flat = classes.flatten()
        states, ends = self.tails[flat], self.ends[flat] - self.begin
        mask = self._mask(states.shape[1], states.device)
        for number, (block, keys) in enumerate(zip(self.blocks, begun, strict=True)):
            if number + 1 == len(self.blocks):
                return self._pool(block, states, keys, ends, each).view(count, each, -1)
            query, key, value = _project(block, block.ln_1(states))
            mixed = nnf.scaled_dot_product_attention(
                query,
                torch.cat([keys.key.repeat_interleave(each, 0), key], dim=2),
                torch.cat([keys.value.repeat_interleave(each, 0), value], dim=2),
                attn_mask=mask,
            )
            states = _finish(block, states, mixed)
        raise AttributeError("the tower has no block")

    def _pool(self, block: Any, states: Tensor, keys: Keys, ends: Tensor, each: int) -> Tensor:
        """Run the last block for the pooled token alone."""
        rows = torch.arange(len(states), device=states.device)
        query, key, value = _project(block, block.ln_1(states))
        query = query.gather(
            2, ends[:, None, None, None].expand(-1, query.shape[1], 1, query.shape[3])
        )
        mask = self._mask(states.shape[1], states.device)[ends][:, None, None]
        mixed = nnf.scaled_dot_product_attention(
            query,
            torch.cat([keys.key.repeat_interleave(each, 0), key], dim=2),
            torch.cat([keys.value.repeat_interleave(each, 0), value], dim=2),
            attn_mask=mask,
        )
        pooled = self.tower.ln_final(_finish(block, states[rows, ends][:, None], mixed)[:, 0])
        projection = self.tower.text_projection
        if isinstance(projection, torch.nn.Module):
            pooled = projection(pooled)
        elif projection is not None:
            pooled = pooled @ projection
        return nnf.normalize(pooled.float(), dim=-1)

    def _mask(self, length: int, device: torch.device) -> Tensor:
        """Let each token of the rest see the beginning, and the rest up to itself."""
        seen = torch.ones(length, self.begin + length, dtype=torch.bool, device=device)
        return seen.tril(diagonal=self.begin)


def _project(block: Any, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return query, key and value ``[n, heads, length, width / heads]`` of a block."""
    attention = block.attn
    joined = nnf.linear(states, attention.in_proj_weight, attention.in_proj_bias)
    split = joined.view(*joined.shape[:2], 3, attention.num_heads, -1)
    parts = split.permute(2, 0, 3, 1, 4)
    return parts[0], parts[1], parts[2]


def _finish(block: Any, states: Tensor, mixed: Tensor) -> Tensor:
    """Do what a block does after its attention has mixed the values."""
    joined = mixed.transpose(1, 2).flatten(2)
    states = states + block.ls_1(block.attn.out_proj(joined))
    finished: Tensor = states + block.ls_2(block.mlp(block.ln_2(states)))
    return finished


def _pooled_places(tower: Any, ids: Tensor) -> Tensor:
    """Return ``[classes]`` the position whose state becomes the text vector."""
    kind = getattr(tower, "text_pool_type", getattr(tower, "pool_type", None))
    if kind == "argmax":
        return torch.argmax(ids, dim=-1)
    end = getattr(tower, "text_eos_id", getattr(tower, "eos_id", None))
    if kind == "eos" and end is not None:
        return torch.argmax((ids == end).int(), dim=-1)
    raise AttributeError(f"pooling by {kind} is not known")


def shared_prefix(classifier: CoCoOp, tolerance: float = 1e-4) -> SharedPrefix | None:
    """Return the shortcut if it gives the classifier's own vectors, else ``None``.

    Args:
        classifier: Any CoCoOp head.
        tolerance: Largest difference of a coordinate of unit vectors.
    """
    try:
        found = SharedPrefix(classifier)
        return found if agrees(classifier, found, tolerance) else None
    except (AttributeError, RuntimeError, TypeError):
        return None  # another tower: it is computed in full, which is never wrong


def agrees(classifier: CoCoOp, found: SharedPrefix, tolerance: float) -> bool:
    """Tell whether a shortcut gives the classifier's own text vectors, on two random pictures."""
    draw = torch.Generator().manual_seed(0)
    images = torch.randn(2, classifier.encoder.width, generator=draw)
    images = nnf.normalize(images, dim=-1).to(classifier.encoder.device)
    with torch.no_grad():
        wanted = classifier.text_vectors(images)
        every = torch.arange(len(classifier.classes), device=images.device).expand(2, -1)
        shifted = classifier.context + classifier.meta_tokens(images)[:, None, :]
        close = (found.ended(found.begun(shifted), every) - wanted).abs().max()
    loose = 1.0 if _is_float32(classifier.encoder) else 200.0  # bfloat16 rounds earlier
    return bool(close <= tolerance * loose)


def _is_float32(encoder: DualEncoder) -> bool:
    return bool(next(iter(encoder.module.parameters())).dtype == torch.float32)

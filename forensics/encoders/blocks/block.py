"""One block of a vision transformer as its parts, so that further keys and values can enter it.

What a learnt prompt turns into at its own place in the sequence is thrown away (deep visual
prompts, arXiv 2203.12119). So a prompt needs no query, no output projection and no MLP, and what
is left of it, a key and a value, is the same for every picture: it is computed once a batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

Part = Callable[[Tensor], Tensor]


def unchanged(states: Tensor) -> Tensor:
    """Stand for a part that a block does not have."""
    return states


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block with a norm before its attention, as the libraries' own parts.

    Attributes:
        plain: The library's own block: ``[batch, token, width]`` -> the same.
        heads: Of the attention.
        norm: Before the attention.
        query: Projection, all heads together.
        key: Likewise.
        value: Likewise.
        query_norm: On each head's queries ``[batch, head, token, dim]``.
        key_norm: Likewise.
        turn: Rotary positions of the queries or keys of leading tokens, ``[batch, head, token,
            dim]``; ``None`` where positions were added before the first block.
        output: From what attention mixed, and what the norm gave, both ``[batch, token, ...]``, to
            what is added to the states: norms, gate, projection and scale.
        mlp: From states to what is added to them: norm, MLP and scale.
    """

    plain: Part
    heads: int
    norm: Part
    query: Part
    key: Part
    value: Part
    query_norm: Part = unchanged
    key_norm: Part = unchanged
    turn: Part | None = None
    output: Callable[[Tensor, Tensor], Tensor]
    mlp: Part

    def keys_values(self, states: Tensor, *, placed: bool) -> tuple[Tensor, Tensor]:
        """Return keys and values ``[batch, head, token, dim]`` of states that enter the block.

        Args:
            states: ``[batch, token, width]``.
            placed: Whether they are the tokens of a picture, which have places; prompts have none.
        """
        return self._keys_values(self.norm(states), placed)

    def __call__(
        self,
        states: Tensor,
        prompts: Tensor | None = None,
        *,
        seen: Tensor | None = None,
        wanted: int | None = None,
    ) -> Tensor:
        """Run the block.

        Args:
            states: ``[batch, token, width]``.
            prompts: ``[prompts, width]``: vectors that every token can look at.
            seen: ``[prompts]`` bool: which of them are not masked out; all by default.
            wanted: How many of the leading tokens are needed afterwards; all by default.

        Returns:
            ``[batch, wanted, width]``.
        """
        normed = self.norm(states)
        asked = normed if wanted is None else normed[:, :wanted]
        query = self._placed(self.query_norm(self._split(self.query(asked))), True)
        key, value = self._keys_values(normed, True)
        mask = None
        if prompts is not None:
            more = self.keys_values(prompts[None].to(states.dtype), placed=False)
            key, value = (
                torch.cat([own, extra.expand(len(states), -1, -1, -1)], dim=2)
                for own, extra in zip((key, value), more, strict=True)
            )
            if seen is not None:
                tokens = torch.ones(states.shape[1], dtype=torch.bool, device=seen.device)
                mask = torch.cat([tokens, seen]).expand(query.shape[2], -1)
        mixed = nnf.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        kept = states if wanted is None else states[:, :wanted]
        kept = kept + self.output(mixed.transpose(1, 2).flatten(2), asked)
        return kept + self.mlp(kept)

    def _keys_values(self, normed: Tensor, placed: bool) -> tuple[Tensor, Tensor]:
        key = self._placed(self.key_norm(self._split(self.key(normed))), placed)
        return key, self._split(self.value(normed))

    def _split(self, states: Tensor) -> Tensor:
        """Bring ``[batch, token, head * dim]`` into ``[batch, head, token, dim]``."""
        return states.reshape(*states.shape[:-1], self.heads, -1).transpose(1, 2)

    def _placed(self, states: Tensor, placed: bool) -> Tensor:
        return states if self.turn is None or not placed else self.turn(states)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One third of a projection that makes queries, keys and values at once.

    Attributes:
        owner: Module that holds the weights, which are read anew at every call.
        weight: Name of ``[3 * attention width, width]`` in it.
        bias: Returns ``[3 * attention width]`` or ``None``.
        third: 0 = query, 1 = key, 2 = value.
    """

    owner: nn.Module
    weight: str
    bias: Callable[[], Tensor | None]
    third: int

    def __call__(self, states: Tensor) -> Tensor:
        """Project ``[..., width]``."""
        weight, bias = self.owner.get_parameter(self.weight), self.bias()
        own = None if bias is None else bias.chunk(3)[self.third]
        return nnf.linear(states, weight.chunk(3)[self.third], own)

"""Deep visual prompts: learnt vectors that every token of an image tower can look at.

Source: visual prompt tuning, "deep" (arXiv 2203.12119), as RVPT uses it (arXiv 2412.20392): from
block D on, every block gets prompts of its own at its input, and what becomes of them at its
output is thrown away. So prompts are only ever keys and values here, with the same result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.nn.functional as nnf
from torch import Tensor

from forensics.encoders.attention import PoolingRecorder
from forensics.encoders.base import DualEncoder, PoolingAttention, Preprocessing
from forensics.encoders.blocks import Tower, open_tower
from forensics.encoders.pixels import normalised
from forensics.errors import CheckpointError, NotApplicable

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisualPrompts:
    """Learnt vectors of the last blocks of an image tower.

    Attributes:
        vectors: ``[blocks, prompts, width]`` float32: the inputs of blocks ``first``, ``first`` +
            1, ... up to the last.
        first: Index of the first prompted block, from 0: the paper's D.
    """

    vectors: Tensor
    first: int

    def check_fits(self, tower: Tower) -> None:
        """Refuse a tower with other blocks.

        Raises:
            CheckpointError: Their number or width differs.
        """
        blocks, _, width = self.vectors.shape
        if width != tower.width or self.first < 0 or self.first + blocks != len(tower.blocks):
            raise CheckpointError(
                f"Prompts of width {width} for blocks {self.first} to {self.first + blocks - 1} "
                f"do not fit a tower of width {tower.width} with {len(tower.blocks)} blocks.",
                remedy="Give the encoder that they were tuned with.",
            )


def prefix_states(tower: Tower, pixels: Tensor, blocks: int) -> Tensor:
    """Run the library's own embedding and first blocks.

    Args:
        tower: Opened.
        pixels: Normalised, ``[batch, 3, height, width]``.
        blocks: How many.

    Returns:
        ``[batch, token, width]``.
    """
    states = tower.embed(pixels)
    for block in tower.blocks[:blocks]:
        states = block.plain(states)
    return states


def prompted_states(
    tower: Tower,
    prompts: VisualPrompts,
    states: Tensor,
    *,
    seen: Tensor | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Run the prompted blocks.

    Args:
        tower: Opened.
        prompts: Differentiable in their vectors.
        states: ``[batch, token, width]`` that enter block ``prompts.first``.
        seen: ``[prompts]`` bool: which prompts are not masked out of attention; all by default.

    Returns:
        What :attr:`forensics.encoders.blocks.Tower.finish` takes, and the feature after every
        prompted block, ``[batch, width]`` each (see ``Tower.feature``).
    """
    features = []
    last = len(tower.blocks) - 1
    for index, vectors in enumerate(prompts.vectors.unbind(), start=prompts.first):
        wanted = tower.wanted if index == last else None
        states = tower.blocks[index](states, vectors, seen=seen, wanted=wanted)
        features.append(tower.feature(states))
    return states, features


class PromptedEncoder:
    """An encoder whose image tower is prompted; the text tower and all weights stay.

    A :class:`forensics.encoders.base.DualEncoder`, so whatever works on an encoder works on it.

    Args:
        encoder: The frozen towers.
        prompts: Made for its image tower.

    Raises:
        CheckpointError: They do not fit.
        NotApplicable: The image tower is no vision transformer.
    """

    library: Literal["open_clip", "transformers"]
    preprocessing: Preprocessing

    def __init__(self, encoder: DualEncoder, prompts: VisualPrompts) -> None:
        self.encoder = encoder
        self.tower = open_tower(encoder)
        prompts.check_fits(self.tower)
        vectors = prompts.vectors.detach().to(encoder.device, torch.float32)
        self.prompts = VisualPrompts(vectors=vectors, first=prompts.first)
        self.name = encoder.name
        self.library = encoder.library
        self.preprocessing = encoder.preprocessing
        self.width = encoder.width
        self.module: Any = encoder.module

    @property
    def logit_scale(self) -> float:
        """Factor on cosines; see the contract."""
        return self.encoder.logit_scale

    @property
    def logit_bias(self) -> float:
        """What is added to scaled cosines; see the contract."""
        return self.encoder.logit_bias

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.encoder.device

    @property
    def reads_short_texts(self) -> bool:
        """Whether padding behind a text may be cut off; see the contract."""
        return self.encoder.reads_short_texts

    def pixels(self, images: "Sequence[Image.Image]") -> Tensor:
        """Resize and crop pictures as the checkpoint says."""
        return self.encoder.pixels(images)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Return unit vectors ``[batch, width]`` float32 of the prompted tower.

        Differentiable in the pixels.

        Raises:
            ValueError: The pixels are not of the preprocessing's size.
        """
        states = prefix_states(self.tower, normalised(self, pixels), self.prompts.first)
        states, _ = prompted_states(self.tower, self.prompts, states)
        return nnf.normalize(self.tower.finish(states).float(), dim=-1)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return unit vectors ``[texts, width]`` of the text tower, which has no prompts."""
        return self.encoder.encode_text(texts)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Return token ids ``[texts, length]``."""
        return self.encoder.tokenize(texts)

    def embed_tokens(self, ids: Tensor) -> Tensor:
        """Return word vectors ``[texts, length, text width]``."""
        return self.encoder.embed_tokens(ids)

    def encode_embedded(self, vectors: Tensor, ids: Tensor) -> Tensor:
        """Encode word vectors in place of tokens; see the contract."""
        return self.encoder.encode_embedded(vectors, ids)

    def attend(self, pixels: Tensor) -> PoolingAttention:
        """Return where the pooling token looks; attention on prompts counts as ``rest``.

        Raises:
            NotApplicable: The tower has neither class token nor attention pooling.
            ModelError: Its attention cannot be watched.
        """
        # The place is the plain tower's: prompts stand behind its tokens.
        place = getattr(self.encoder, "pooling_place", None)
        if place is None:
            raise NotApplicable(f"{self.name} does not say where its image tower pools.")
        recorder = PoolingRecorder(len(pixels))
        with torch.no_grad(), recorder:
            self.encode_image(pixels)
        return recorder.attention(place(), behind=self.prompts.vectors.shape[1])

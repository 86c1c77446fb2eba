"""An image tower as a row of blocks with a beginning and an end."""

from dataclasses import dataclass

from torch import Tensor

from forensics.encoders.blocks.block import Block, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """What every image tower of a CLIP-like encoder has in common.

    Attributes:
        embed: Normalised pixels ``[batch, 3, height, width]`` -> what enters the first block,
            ``[batch, token, width]``: patches, class token, positions, norm.
        blocks: In order.
        norm: What a token goes through after the last block (``ln_post``).
        finish: States after the last block -> ``[batch, space]``: norm, pooling, projection. A
            tower with a class token needs no other token there.
        width: Of the states.
        prefix: Tokens before the patches: class token, registers.
        class_token: Whether the image embedding is made of the first token.
    """

    embed: Part
    blocks: tuple[Block, ...]
    norm: Part
    finish: Part
    width: int
    prefix: int
    class_token: bool

    def feature(self, states: Tensor) -> Tensor:
        """Return what stands for a picture between two blocks: ``[batch, width]``.

        The class token; in a tower that does not pool it, the mean of the patches.
        """
        return states[:, 0] if self.class_token else states[:, self.prefix :].mean(dim=1)

    @property
    def wanted(self) -> int | None:
        """How many leading tokens the last block must give; ``None`` = all."""
        return 1 if self.class_token else None

    def run(self, states: Tensor) -> Tensor:
        """Run all blocks by their parts: the same as the library's own, up to rounding."""
        for block in self.blocks:
            states = block(states)
        return states

"""What prompts cannot change: states before the first prompt, and the frozen tower's features.

Both depend on the picture alone. Without augmentation they are computed once for every picture.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.encoders.blocks import Tower
from forensics.encoders.pixels import normalised
from forensics.encoders.prompted import prefix_states
from forensics.repairs.shots import in_unit_range

_AT_ONCE: Final = 64
BUDGET: Final = 4 << 30


class FrozenFeatures:
    """Reads a frozen tower.

    Args:
        encoder: Frozen.
        tower: The same, opened.
        first: Index of the first prompted block.
        normed: Whether the feature after the last block goes through the final norm.
    """

    def __init__(
        self, encoder: DualEncoder, tower: Tower, first: int, *, normed: bool = False
    ) -> None:
        self.encoder, self.tower, self.first, self.normed = encoder, tower, first, normed

    def of(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Read one batch.

        Args:
            pixels: ``[batch, 3, height, width]`` in [0, 1].

        Returns:
            States that enter the first prompted block, ``[batch, token, width]``, and the
            reference features sigma, ``[depth, batch, width]``; neither has a gradient.
        """
        with torch.no_grad():
            states = prefix_states(self.tower, normalised(self.encoder, pixels), self.first)
            return states, self.stacked(self._features(states))

    def stacked(self, features: Sequence[Tensor]) -> Tensor:
        """Put the features of all prompted depths together: ``[depth, batch, width]``."""
        last = self.tower.norm(features[-1]) if self.normed else features[-1]
        return torch.stack([*features[:-1], last])

    def _features(self, states: Tensor) -> list[Tensor]:
        found = []
        last = len(self.tower.blocks) - 1
        for index, block in enumerate(self.tower.blocks[self.first :], start=self.first):
            # The last block need not tell what becomes of tokens that nobody asks for.
            alone = index == last and self.tower.wanted is not None
            states = block(states, wanted=self.tower.wanted) if alone else block.plain(states)
            found.append(self.tower.feature(states))
        return found


class KeptFeatures:
    """The same for a fixed set of pictures, each read once.

    Args:
        frozen: Reads the tower.
        pixels: ``[n, 3, height, width]``, bytes or in [0, 1].
    """

    def __init__(self, frozen: FrozenFeatures, pixels: Tensor) -> None:
        place = frozen.encoder.device
        parts = [frozen.of(in_unit_range(part, place)) for part in torch.split(pixels, _AT_ONCE)]
        self._states = torch.cat([states for states, _ in parts])
        self._reference = torch.cat([reference for _, reference in parts], dim=1)

    def batch(self, chosen: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return states and reference features of some pictures, see ``FrozenFeatures.of``."""
        places = list(chosen)
        return self._states[places], self._reference[:, places]


def bytes_needed(frozen: FrozenFeatures, pixels: Tensor) -> int:
    """Say how many bytes the features of so many pictures take, from those of the first."""
    states, reference = frozen.of(in_unit_range(pixels[:1], frozen.encoder.device))
    each = states.numel() * states.element_size() + reference.numel() * reference.element_size()
    return len(pixels) * each

"""The prompted forward of a training step: straightforward, and with everything that can be reused.

Both give the same numbers. Straightforward is the paper's pseudo-code: the frozen tower runs on
every picture of every step, and prompts stand in the sequence of the library's own blocks. The
other one reads the frozen tower once for every picture (without augmentation), and prompts enter as
keys and values, computed once a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as nnf
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.encoders.blocks import Tower
from forensics.encoders.prompted import VisualPrompts, prompted_states
from forensics.repairs.repulsive_prompts.features import (
    BUDGET,
    FrozenFeatures,
    KeptFeatures,
    bytes_needed,
)
from forensics.repairs.repulsive_prompts.visual_prompts_loader import find_blocks, insert_prompts
from forensics.repairs.shots import in_unit_range


class Change(Protocol):
    """Augmentation of one step."""

    def __call__(self, pixels: Tensor, *, step: int) -> Tensor:
        """Return pixels ``[batch, 3, height, width]`` in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """What one step saw.

    Attributes:
        images: ``[batch, space]`` unit vectors of the prompted tower.
        features: ``[depth, batch, width]`` of the prompted tower.
        reference: The same of the frozen one, without gradient.
    """

    images: Tensor
    features: Tensor
    reference: Tensor


class Forward(Protocol):
    """One of the two ways."""

    def __call__(self, prompts: VisualPrompts, chosen: Sequence[int], step: int) -> Forwarded:
        """Show some pictures to the prompted and to the frozen tower."""
        ...


class Straightforward:
    """The frozen and the prompted tower of the library, on the pixels of every step.

    Args:
        frozen: The frozen tower.
        pixels: ``[n, 3, height, width]``, bytes or in [0, 1].
        change: Augmentation, or ``None``.
    """

    def __init__(
        self, frozen: FrozenFeatures, pixels: Tensor, change: Change | None = None
    ) -> None:
        self._frozen, self._pixels, self._change = frozen, pixels, change
        self._blocks = find_blocks(frozen.encoder.module)[frozen.first :]

    def __call__(self, prompts: VisualPrompts, chosen: Sequence[int], step: int) -> Forwarded:
        """Run both towers from the pixels on."""
        encoder = self._frozen.encoder
        pixels = _changed(self._pixels[list(chosen)], encoder.device, self._change, step)
        with torch.no_grad():
            _, reference = self._watched(encoder, pixels)
        handles = insert_prompts(self._blocks, prompts.vectors.unbind())
        try:
            images, features = self._watched(encoder, pixels)
        finally:
            for handle in handles:
                handle.remove()
        return Forwarded(images=images, features=features, reference=reference)

    def _watched(self, encoder: DualEncoder, pixels: Tensor) -> tuple[Tensor, Tensor]:
        found: list[Tensor] = []

        def keep(_module: Any, _given: Any, output: Tensor) -> None:
            found.append(self._frozen.tower.feature(output))

        handles = [block.register_forward_hook(keep) for block in self._blocks]
        try:
            images = encoder.encode_image(pixels)
        finally:
            for handle in handles:
                handle.remove()
        return images, self._frozen.stacked(found)


class Reusing:
    """Keys and values of prompts behind states that were read once.

    Args:
        frozen: The frozen tower.
        pixels: ``[n, 3, height, width]``, bytes or in [0, 1].
        change: Augmentation, or ``None``: then every picture is read once, if there is room.
        budget: Bytes of room.
    """

    def __init__(
        self,
        frozen: FrozenFeatures,
        pixels: Tensor,
        change: Change | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._frozen, self._pixels, self._change = frozen, pixels, change
        keep = change is None and bytes_needed(frozen, pixels) <= budget
        self._kept = KeptFeatures(frozen, pixels) if keep else None

    def __call__(self, prompts: VisualPrompts, chosen: Sequence[int], step: int) -> Forwarded:
        """Run the prompted blocks alone."""
        tower: Tower = self._frozen.tower
        states, reference = self._read(chosen, step)
        states, features = prompted_states(tower, prompts, states)
        return Forwarded(
            images=nnf.normalize(tower.finish(states).float(), dim=-1),
            features=self._frozen.stacked(features),
            reference=reference,
        )

    def _read(self, chosen: Sequence[int], step: int) -> tuple[Tensor, Tensor]:
        if self._kept is not None:
            return self._kept.batch(chosen)
        place = self._frozen.encoder.device
        return self._frozen.of(_changed(self._pixels[list(chosen)], place, self._change, step))


def _changed(pixels: Tensor, place: torch.device, change: Change | None, step: int) -> Tensor:
    moved = in_unit_range(pixels, place)
    return moved if change is None else change(moved, step=step)

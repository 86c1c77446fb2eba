"""What an optimisation leaves: tensors in pixel space, and how they were made."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from forensics.triggers import TensorTrigger, save_tensor_trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimisedTrigger:
    """A trigger that was optimised on a frozen encoder.

    Attributes:
        attack: Which class made it.
        tensors: As :class:`forensics.triggers.TensorTrigger` names them, in [0, 1] (``delta`` in
            [-1, 1]).
        metadata: What is stored beside: ``side`` of a patch, constants, seed, the encoder.
        losses: Mean loss of every step or epoch; what it counts stands in the attack's docstring.
    """

    attack: str
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    losses: tuple[float, ...]

    def save(self, path: Path) -> TensorTrigger:
        """Write the trigger file; ``tensor:PATH`` then names it."""
        plain = {name: value.detach().cpu().float().numpy() for name, value in self.tensors.items()}
        return save_tensor_trigger(path, plain, self.metadata | {"attack": self.attack})


def paste(pixels: Tensor, patch: Tensor) -> Tensor:
    """Put a patch in the middle of pictures, differentiable in the patch.

    Args:
        pixels: ``[batch, 3, height, width]`` in [0, 1].
        patch: ``[3, size, size]``.
    """
    height, width = pixels.shape[-2:]
    size = patch.shape[-1]
    top, left = (height - size) // 2, (width - size) // 2
    frame = (left, width - size - left, top, height - size - top)
    mask = torch.nn.functional.pad(torch.ones_like(patch[:1]), frame)
    return pixels * (1 - mask) + torch.nn.functional.pad(patch, frame)


def start_patch(height: int, width: int, side: float, seed: int) -> Tensor:
    """Draw the start of an optimised patch: N(0.5, 0.25), clipped, ``[3, size, size]``."""
    size = max(1, round(side * min(height, width)))
    drawn = torch.randn(3, size, size, generator=torch.Generator().manual_seed(seed))
    return (0.5 + 0.25 * drawn).clamp(0.0, 1.0)

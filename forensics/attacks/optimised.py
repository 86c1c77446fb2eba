"""What an optimisation leaves: tensors in pixel space, and how they were made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.triggers import TensorTrigger, save_tensor_trigger
from forensics.tuning.schedule import samples_of_step


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSchedule:
    """How a patch is optimised.

    Attributes:
        side: Patch side as a share of the shorter side of the pictures.
        epochs: Passes over the pictures.
        batch_size: Pictures a step.
        rate: Learning rate of Adam.
        seed: Of the start and the order.
    """

    side: float
    epochs: float
    batch_size: int
    rate: float
    seed: int


def optimise_patch(
    encoder: DualEncoder,
    pictures: Tensor,
    schedule: PatchSchedule,
    loss_of: Callable[[Tensor, Tensor], Tensor],
) -> tuple[Tensor, tuple[float, ...]]:
    """Move a patch by Adam, kept in [0, 1], so that a loss falls.

    Args:
        encoder: Frozen by the caller; says where the tensors go.
        pictures: ``[n, 3, height, width]`` in [0, 1].
        schedule: Start, order and steps.
        loss_of: From a batch of pictures and the patch to a loss; called once a step, in order.

    Returns:
        ``[3, size, size]``, and the loss of every step.
    """
    height, width = pictures.shape[-2:]
    patch = start_patch(height, width, schedule.side, schedule.seed).to(encoder.device)
    patch.requires_grad_(True)
    optimizer = torch.optim.Adam([patch], lr=schedule.rate)
    count, batch = len(pictures), min(schedule.batch_size, len(pictures))
    losses = []
    for step in range(max(1, round(schedule.epochs * count / batch))):
        chosen = samples_of_step(step, count, batch_size=batch, seed=schedule.seed)
        loss = loss_of(pictures[chosen].to(encoder.device), patch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            patch.clamp_(0.0, 1.0)
        losses.append(float(loss.detach()))
    return patch.detach(), tuple(losses)


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

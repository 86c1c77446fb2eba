"""The one loop that changes both towers of a CLIP: descents differ in their task alone."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.tuning.checkpoint import Checkpoint
from forensics.tuning.options import ContrastiveOptions
from forensics.tuning.precision import mixed_precision
from forensics.tuning.schedule import faster_attention, rate_factor

Progress = Callable[[int, int, str], None]

_LARGEST_SCALE: Final = math.log(100.0)


class PairTask(Protocol):
    """What a descent minimises, and when it ends.

    Attributes:
        notes: What :meth:`watch` found so far; kept in the checkpoint, so that :meth:`done`
            decides the same after a resume.
    """

    notes: list[list[float]]

    def loss(self, step: int) -> Tensor | None:
        """Return the loss of a step, counted from 0; ``None`` where it has no readable pairs."""
        ...

    def watch(self, step: int) -> None:
        """Look at the model after so many steps; 0 = before the first."""
        ...

    def done(self) -> bool:
        """Tell from the notes whether to stop early."""
        ...


def descend_pairs(
    encoder: DualEncoder,
    task: PairTask,
    options: ContrastiveOptions,
    steps: int,
    checkpoint: Checkpoint,
    progress: Progress | None = None,
) -> list[float]:
    """Minimise a task's loss over an encoder's weights, in place, with AdamW.

    The same inputs, options and machine give the same weights, whether the run was interrupted or
    not. Weights whose ``requires_grad`` is off stay.

    Args:
        encoder: Its weights must be float32; evaluation mode afterwards.
        task: See :class:`PairTask`.
        options: ``learning_rate``, ``weight_decay``, ``schedule``, ``warmup``,
            ``checkpoint_every`` are read.
        steps: At the most.
        checkpoint: Of this run; restored if there is one, kept at the end.
        progress: Called with (step, steps, message) after every step; may raise to stop.

    Returns:
        The loss of every step, ``nan`` for one without readable pairs.
    """
    module = encoder.module
    optimizer = torch.optim.AdamW(_groups(module, options), betas=(0.9, 0.98), eps=1e-6)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: rate_factor(step, steps, warmup=options.warmup, schedule=options.schedule),
    )
    losses = checkpoint.restore(module, optimizer, schedule, task.notes)
    if not losses:
        task.watch(0)
    module.train()
    for step in range(len(losses), steps):
        if task.done():
            break
        losses.append(_step(module, task.loss(step), optimizer))
        schedule.step()
        task.watch(step + 1)
        if options.checkpoint_every and (step + 1) % options.checkpoint_every == 0:
            checkpoint.save(module, optimizer, schedule, losses, task.notes)
        if progress is not None:
            progress(step + 1, steps, f"loss {losses[-1]:.4f}")
    module.eval()
    if options.checkpoint_every:
        checkpoint.save(module, optimizer, schedule, losses, task.notes)
    return losses


def encode_pairs(
    encoder: DualEncoder, pixels: Tensor, captions: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """Encode pictures and captions for a step: unit vectors ``[pairs, width]`` each."""
    with mixed_precision(encoder.device), faster_attention(encoder.device):
        return encoder.encode_image(pixels), encoder.encode_text(captions)


def _groups(module: Any, options: ContrastiveOptions) -> list[dict[str, Any]]:
    """Decay matrices only, as open_clip does: gains, biases and the scale keep their size."""
    tuned = [p for p in module.parameters() if p.requires_grad]
    rate = options.learning_rate
    return [
        {
            "params": [p for p in tuned if p.ndim >= 2],
            "lr": rate,
            "weight_decay": options.weight_decay,
        },
        {"params": [p for p in tuned if p.ndim < 2], "lr": rate, "weight_decay": 0.0},
    ]


def _step(module: Any, loss: Tensor | None, optimizer: torch.optim.Optimizer) -> float:
    if loss is None:
        return float("nan")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for p in module.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    with torch.no_grad():
        # CLIP's own bound: without it the scale runs away on few, easy pairs.
        module.logit_scale.clamp_(0.0, _LARGEST_SCALE)
    return float(loss.detach())

"""CLIP-Inspector's repair: prompts are tuned on triggered pictures that keep their true label.

Source: arXiv 2604.09101 (reconstruction, after a second-hand summary). The clean shots are joined
by copies ``(clip(x + delta), y)`` with the **true** label; context and meta-net are tuned with
cross entropy, the encoder stays as it is.

Differs: the encoder is frozen and the copies are fixed, so every picture is encoded once and the
tuning runs on image vectors alone; the result is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from forensics.classifiers import CoCoOp, CoOp
from forensics.encoders.base import DualEncoder
from forensics.encoders.frozen import frozen
from forensics.triggers import Trigger, stamp_pixels
from forensics.tuning.prompts import PromptSchedule, descend, descent, steps_of

State = dict[str, NDArray[np.float32]]
_MOMENTUM = "momentum_buffer"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairSet:
    """Shots and their copies as unit image vectors of the frozen encoder.

    Attributes:
        clean: ``[n, width]``.
        marked: ``[n, width]`` of the copies; ``None`` where there are none.
        labels: ``[n]`` true classes, of both.
    """

    clean: Tensor
    marked: Tensor | None
    labels: Tensor

    def batch(self, chosen: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return vectors and labels of some shots, each followed by its copy."""
        places = list(chosen)
        labels = self.labels[places]
        if self.marked is None:
            return self.clean[places], labels
        return torch.cat([self.clean[places], self.marked[places]]), labels.repeat(2)


def embed(
    encoder: DualEncoder, pixels: Tensor, ids: Sequence[str], trigger: Trigger | None
) -> Tensor:
    """Encode fitted pictures, with a trigger on them where one is given: ``[n, width]``."""
    with torch.no_grad():
        shown = pixels if trigger is None else stamp_pixels(trigger, pixels, ids)
        return encoder.encode_image(shown.to(encoder.device))


def trainable(classifier: CoOp | CoCoOp) -> int:
    """Count what the repair may change: context and, for CoCoOp, the meta-net."""
    return sum(parameter.numel() for parameter in classifier.prompt_parameters())


def tune_epoch(
    classifier: CoOp | CoCoOp,
    shots: RepairSet,
    schedule: PromptSchedule,
    epoch: int,
    state: Mapping[str, NDArray[np.float32]] | None = None,
    report: Callable[[int, int], None] | None = None,
) -> tuple[list[float], State]:
    """Tune a prompt in place for one epoch, so that a repair can be stopped and taken up again.

    Args:
        classifier: Its prompt changes, its encoder does not.
        shots: Clean shots and copies; the loss is the mean cross entropy of a step's pairs.
        schedule: See :class:`forensics.tuning.prompts.PromptSchedule`.
        epoch: Which, from 0.
        state: What the epoch before left; none for the first.
        report: Called with (steps done, steps) after every step; may raise to stop.

    Returns:
        The loss of every step, and the state to go on from.
    """
    learnt = list(classifier.prompt_parameters())
    count = len(shots.labels)
    optimizer, rates = descent(learnt, schedule, count)
    if state is not None:
        _restore(learnt, optimizer, state)
    steps = list(steps_of(count, schedule, epoch + 1))
    first = epoch * len(steps) // (epoch + 1)
    losses = []
    with frozen(classifier.encoder):
        for step in range(first, len(steps)):
            vectors, labels = shots.batch(steps[step])
            loss = F.cross_entropy(classifier.logits_of(vectors), labels)
            descend(loss, optimizer, rates(step))
            losses.append(float(loss.detach()))
            if report is not None:
                report(step + 1 - first, len(steps) - first)
    return losses, _kept(learnt, optimizer)


def take_up(classifier: CoOp | CoCoOp, state: Mapping[str, NDArray[np.float32]]) -> None:
    """Give a prompt the values that an epoch left."""
    _restore(list(classifier.prompt_parameters()), None, state)


def _kept(learnt: Sequence[Tensor], optimizer: torch.optim.Optimizer) -> State:
    found: State = {}
    for index, parameter in enumerate(learnt):
        found[f"value.{index}"] = parameter.detach().cpu().numpy().copy()
        momentum = optimizer.state[parameter].get(_MOMENTUM)
        if momentum is not None:
            found[f"momentum.{index}"] = momentum.cpu().numpy().copy()
    return found


def _restore(
    learnt: Sequence[Tensor],
    optimizer: torch.optim.Optimizer | None,
    state: Mapping[str, NDArray[np.float32]],
) -> None:
    for index, parameter in enumerate(learnt):
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(state[f"value.{index}"]))
        momentum = state.get(f"momentum.{index}")
        if optimizer is not None and momentum is not None:
            optimizer.state[parameter][_MOMENTUM] = torch.from_numpy(momentum).to(parameter)

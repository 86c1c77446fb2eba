"""Learn a prompt on a few labelled pictures, the encoder frozen."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from forensics.encoders.base import DualEncoder, ImageClassifier
from forensics.encoders.frozen import frozen
from forensics.errors import OptionError
from forensics.tuning.schedule import samples_of_step

_WARM_RATE: Final = 1e-5
_PICTURES_AT_ONCE: Final = 64


class PromptClassifier(ImageClassifier, Protocol):
    """A classifier with a learnt prompt: CoOp or CoCoOp."""

    def prompt_parameters(self) -> Sequence[torch.nn.Parameter]:
        """List what is learnt: context vectors and, for CoCoOp, the meta-net."""
        ...

    def logits_of(self, images: Tensor) -> Tensor:
        """Return the logits of unit image vectors ``[batch, width]``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptShots:
    """The few labelled pictures that a prompt is learnt from.

    Attributes:
        pixels: ``[n, 3, height, width]`` in [0, 1].
        labels: ``[n]`` index of the class.
        ids: ``[n]``.
    """

    pixels: Tensor
    labels: Tensor
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSchedule:
    """How prompts are tuned in CoOp's and CoCoOp's code, and in the attacks built on it.

    SGD 0.002 with momentum 0.9 and weight decay 5e-4, cosine over the epochs, the first of them at
    1e-5, one picture a step.

    Attributes:
        epochs: Passes over the shots.
        rate: Learning rate.
        weight_decay: Of SGD.
        batch_size: Pictures a step.
        seed: Of the order.
    """

    epochs: int = 10
    rate: float = 0.002
    weight_decay: float = 5e-4
    batch_size: int = 1
    seed: int = 0


def tune_prompt(
    classifier: PromptClassifier, shots: PromptShots, schedule: PromptSchedule
) -> tuple[float, ...]:
    """Learn a prompt in place with the cross entropy of the labels.

    On clean shots this is the clean twin of a poisoned prompt. The encoder is frozen and the
    shots do not change, so the image tower sees each of them once.

    Returns:
        The loss of every step.
    """
    learnt = list(classifier.prompt_parameters())
    optimizer, rates = descent(learnt, schedule, len(shots.labels))
    place = classifier.encoder.device
    losses = []
    with frozen(classifier.encoder):
        vectors = image_vectors(classifier.encoder, shots.pixels)
        for step, chosen in enumerate(steps_of(len(shots.labels), schedule, schedule.epochs)):
            logits = classifier.logits_of(vectors[chosen])
            loss = F.cross_entropy(logits, shots.labels[chosen].to(place))
            descend(loss, optimizer, rates(step))
            losses.append(float(loss.detach()))
    return tuple(losses)


def image_vectors(encoder: DualEncoder, pixels: Tensor) -> Tensor:
    """Encode pictures ``[n, 3, height, width]`` in parts, without gradient: ``[n, width]``."""
    with torch.no_grad():
        parts = torch.split(pixels, _PICTURES_AT_ONCE)
        return torch.cat([encoder.encode_image(part.to(encoder.device)) for part in parts])


def target_index(classifier: ImageClassifier, target: str, shots: PromptShots) -> int:
    """Return the index of the target class.

    Raises:
        OptionError: It is no class, or there are no shots.
    """
    if target not in classifier.classes or not len(shots.labels):
        raise OptionError(
            f"Cannot aim at {target!r} with {len(shots.labels)} pictures.",
            remedy=f"Name one of {', '.join(classifier.classes[:20])} and give pictures.",
        )
    return classifier.classes.index(target)


def steps_of(count: int, schedule: PromptSchedule, epochs: int) -> Iterator[list[int]]:
    """Yield which of ``count`` shots make up every step."""
    batch = min(schedule.batch_size, count)
    for step in range(epochs * math.ceil(count / batch)):
        yield samples_of_step(step, count, batch_size=batch, seed=schedule.seed)


def descent(
    learnt: Sequence[Tensor], schedule: PromptSchedule, count: int
) -> tuple[torch.optim.SGD, Callable[[int], float]]:
    """Make the optimizer, and the function step -> learning rate."""
    per_epoch = math.ceil(count / min(schedule.batch_size, count))

    def rate(step: int) -> float:
        epoch = step // per_epoch
        # CoOp's schedule moves once an epoch; the warm-up epoch is not counted.
        if epoch == 0 and schedule.epochs > 1:
            return _WARM_RATE
        return schedule.rate * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / schedule.epochs))

    optimizer = torch.optim.SGD(
        list(learnt), lr=schedule.rate, momentum=0.9, weight_decay=schedule.weight_decay
    )
    return optimizer, rate


def descend(loss: Tensor, optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Take one step."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()

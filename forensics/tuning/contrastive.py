"""Train both towers of a CLIP-like model on image-caption pairs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.errors import DataError
from forensics.tuning.checkpoint import Checkpoint
from forensics.tuning.options import ContrastiveOptions
from forensics.tuning.pair_loop import Progress, descend_pairs, encode_pairs
from forensics.tuning.pair_pictures import PairPictures
from forensics.tuning.schedule import samples_of_step


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastiveResult:
    """What a contrastive run did; the encoder that was passed in carries the new weights.

    Attributes:
        steps: Optimizer steps in all.
        losses: InfoNCE of every step, nats; ``nan`` for a step without two readable pairs.
        samples: Pairs trained on.
        skipped: Pairs without caption or readable image: id -> reason.
        seconds: Wall time of this call (after a resume: of its part).
    """

    steps: int
    losses: tuple[float, ...]
    samples: int
    skipped: dict[str, str]
    seconds: float


class PairLoss(Protocol):
    """The loss of one step over pairs."""

    def facts(self) -> Mapping[str, Any]:
        """Say what of the loss shapes the weights: a checkpoint of another one is not used."""
        ...

    def __call__(
        self, encoder: DualEncoder, pixels: Tensor, captions: list[str], step: int
    ) -> Tensor:
        """Return the loss of two or more pairs.

        Args:
            encoder: In training mode.
            pixels: ``[pairs, 3, height, width]`` in [0, 1].
            captions: As many.
            step: Counted from 0; seeds what a loss draws.
        """
        ...


class InfoNCE:
    """CLIP's own loss."""

    def facts(self) -> Mapping[str, Any]:
        """Return nothing: it has no settings."""
        return {}

    def __call__(
        self, encoder: DualEncoder, pixels: Tensor, captions: list[str], step: int
    ) -> Tensor:
        """Return the loss of two or more pairs; see :class:`PairLoss`."""
        image, text = encode_pairs(encoder, pixels, captions)
        return info_nce(image, text, encoder.module.logit_scale.exp())


def info_nce(image: Tensor, text: Tensor, scale: Tensor | float) -> Tensor:
    """Compute CLIP's loss (arXiv 2103.00020): cross entropy over rows and columns, averaged.

    Args:
        image: ``[pairs, width]`` unit vectors.
        text: ``[pairs, width]`` unit vectors, in the same order.
        scale: Factor on cosines.
    """
    logits = scale * image.float() @ text.float().T
    right = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2


def tune_pairs(
    encoder: DualEncoder,
    samples: Sequence[Sample],
    options: ContrastiveOptions,
    out: Path,
    progress: Progress | None = None,
    loss: PairLoss | None = None,
) -> ContrastiveResult:
    """Train an encoder in place on (image, caption) pairs with AdamW.

    The same inputs, options and machine give the same weights, whether the run was interrupted or
    not: a checkpoint in ``out`` is picked up if it belongs to the same options, name and ids. The
    caller saves the model and then calls :func:`forget`.

    Args:
        encoder: Its weights become float32 and change.
        samples: With captions (``answer``); rows without caption or readable image are counted.
        options: See :class:`ContrastiveOptions`.
        out: Folder of the checkpoint.
        progress: Called with (step, steps, message) after every step; may raise to stop.
        loss: CLIP's own by default.

    Raises:
        DataError: Fewer than two pairs.
    """
    started = time.monotonic()
    usable, skipped = usable_pairs(samples)
    encoder.module.float()
    chosen = loss if loss is not None else InfoNCE()
    steps = max(1, round(options.epochs * len(usable) / options.batch_size))
    ids = [sample.id for sample in usable]
    checkpoint = Checkpoint(out, options, encoder.name, ids, chosen.facts())
    task = _Pairs(encoder, PairPictures(encoder, usable, skipped), len(usable), options, chosen)
    losses = descend_pairs(encoder, task, options, steps, checkpoint, progress)
    return ContrastiveResult(
        steps=steps,
        losses=tuple(losses),
        samples=len(usable),
        skipped=skipped,
        seconds=time.monotonic() - started,
    )


def forget(out: Path) -> None:
    """Delete the checkpoint of a finished run, once its model is saved."""
    (out / "tuning.pt").unlink(missing_ok=True)


def usable_pairs(samples: Sequence[Sample]) -> tuple[list[Sample], dict[str, str]]:
    """Return the samples that have both a caption and an image, and id -> reason of the others.

    Raises:
        DataError: Fewer than two pairs.
    """
    usable = [sample for sample in samples if sample.answer and sample.image is not None]
    kept = {sample.id for sample in usable}
    skipped = {s.id: "no caption or no image" for s in samples if s.id not in kept}
    if len(usable) < 2:
        raise DataError(
            f"Only {len(usable)} of {len(samples)} samples have both a caption and an image.",
            remedy="Contrastive training needs at least two pairs of image and caption.",
        )
    return usable, skipped


class _Pairs:
    """One loss over all pairs, each once an epoch."""

    def __init__(
        self,
        encoder: DualEncoder,
        pictures: PairPictures,
        count: int,
        options: ContrastiveOptions,
        loss: PairLoss,
    ) -> None:
        self.notes: list[list[float]] = []
        self._encoder, self._pictures, self._count = encoder, pictures, count
        self._options, self._loss = options, loss

    def loss(self, step: int) -> Tensor | None:
        options = self._options
        chosen = samples_of_step(
            step, self._count, batch_size=options.batch_size, seed=options.seed
        )
        pixels, captions = self._pictures.batch(chosen)
        if len(captions) < 2:
            return None
        return self._loss(self._encoder, pixels, captions, step)

    def watch(self, step: int) -> None:
        """Nothing is looked at on the way."""

    def done(self) -> bool:
        return False

"""Train both towers of a CLIP-like model on image-caption pairs."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.errors import DataError
from forensics.tuning.checkpoint import Checkpoint
from forensics.tuning.options import ContrastiveOptions
from forensics.tuning.pair_pictures import PairPictures
from forensics.tuning.schedule import (
    faster_attention,
    mixed_precision,
    rate_factor,
    samples_of_step,
)

Progress = Callable[[int, int, str], None]

_LARGEST_SCALE: Final = math.log(100.0)


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

    Raises:
        DataError: Fewer than two pairs.
    """
    started = time.monotonic()
    usable, skipped = _usable(samples)
    module = encoder.module.float()
    optimizer = torch.optim.AdamW(_groups(module, options), betas=(0.9, 0.98), eps=1e-6)
    steps = max(1, round(options.epochs * len(usable) / options.batch_size))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: rate_factor(step, steps, warmup=options.warmup, schedule=options.schedule),
    )
    checkpoint = Checkpoint(out, options, encoder.name, [sample.id for sample in usable])
    losses = checkpoint.restore(module, optimizer, schedule)
    pictures = PairPictures(encoder, usable, skipped)
    module.train()
    for step in range(len(losses), steps):
        chosen = samples_of_step(
            step, len(usable), batch_size=options.batch_size, seed=options.seed
        )
        losses.append(_step(encoder, pictures, chosen, optimizer))
        schedule.step()
        if options.checkpoint_every and (step + 1) % options.checkpoint_every == 0:
            checkpoint.save(module, optimizer, schedule, losses)
        if progress is not None:
            progress(step + 1, steps, f"loss {losses[-1]:.4f}")
    module.eval()
    if options.checkpoint_every:
        checkpoint.save(module, optimizer, schedule, losses)
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


def _usable(samples: Sequence[Sample]) -> tuple[list[Sample], dict[str, str]]:
    usable = [sample for sample in samples if sample.answer and sample.image is not None]
    kept = {sample.id for sample in usable}
    skipped = {s.id: "no caption or no image" for s in samples if s.id not in kept}
    if len(usable) < 2:
        raise DataError(
            f"Only {len(usable)} of {len(samples)} samples have both a caption and an image.",
            remedy="Contrastive training needs at least two pairs of image and caption.",
        )
    return usable, skipped


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


def _step(
    encoder: DualEncoder,
    pictures: PairPictures,
    chosen: list[int],
    optimizer: torch.optim.Optimizer,
) -> float:
    pixels, captions = pictures.batch(chosen)
    if len(captions) < 2:
        return float("nan")
    module = encoder.module
    with mixed_precision(encoder.device), faster_attention(encoder.device):
        image, text = encoder.encode_image(pixels), encoder.encode_text(captions)
    loss = info_nce(image, text, module.logit_scale.exp())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([p for p in module.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    with torch.no_grad():
        # CLIP's own bound: without it the scale runs away on few, easy pairs.
        module.logit_scale.clamp_(0.0, _LARGEST_SCALE)
    return float(loss.detach())

"""Tune visual prompts: RVPT (arXiv 2412.20392), and with alpha = 0 plain visual prompt tuning.

The encoder that is repaired is its own reference: prompts are pushed away from the class tokens of
the frozen, backdoored tower, while cross entropy on few clean pictures keeps the classes.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.encoders.blocks import Tower, open_tower
from forensics.encoders.frozen import frozen
from forensics.encoders.prompted import VisualPrompts
from forensics.errors import DataError, NotApplicable, OptionError
from forensics.repairs.repulsive_prompts.augmentation import crop_and_flip
from forensics.repairs.repulsive_prompts.features import FrozenFeatures
from forensics.repairs.repulsive_prompts.forwards import Forward, Reusing, Straightforward
from forensics.repairs.repulsive_prompts.loss import class_loss, cosines, repelling_loss
from forensics.repairs.repulsive_prompts.options import (
    AFTER,
    CROP_FLIP,
    RepulsivePromptsOptions,
    VisualPromptsOptions,
)
from forensics.repairs.repulsive_prompts.visual_prompts_loader import image_digest
from forensics.repairs.step_checkpoint import StepCheckpoint
from forensics.tuning.prompts import PromptShots, descend
from forensics.tuning.schedule import faster_attention, samples_of_step

Progress = Callable[[int, int, str], None]

COLUMNS: Final = ("loss", "cross_entropy", "cosine")
CHECKPOINT: Final = "visual-prompts-so-far.safetensors"
_WARM_RATE: Final = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PromptTuning:
    """What was tuned, and how it went.

    Attributes:
        prompts: The repair.
        log: ``[steps, 3]`` float32: loss, cross entropy (nats), and mean cosine with the frozen
            tower's features over pictures and prompted depths, in [-1, 1].
        trainable: Numbers that were tuned: blocks x prompts x width.
        parameters: Numbers in the whole encoder.
        seconds: Wall time of this call (after a resume: of its part).
    """

    prompts: VisualPrompts
    log: NDArray[np.float32]
    trainable: int
    parameters: int
    seconds: float


def tune_visual_prompts(
    encoder: DualEncoder,
    classes: Tensor,
    shots: PromptShots,
    options: VisualPromptsOptions,
    out: Path | None = None,
    progress: Progress | None = None,
) -> PromptTuning:
    """Tune prompts for an encoder, whose weights all stay as they are.

    The same inputs, options and machine give the same prompts, whether the run was interrupted or
    not. Precision is that of the weights (the paper: float16); prompts are float32.

    Args:
        encoder: The backdoored towers.
        classes: ``[classes, width]`` unit vectors of sentences about the classes.
        shots: Few clean, labelled pictures, bytes or in [0, 1].
        options: RVPT's, or those of plain visual prompts.
        out: Folder of the checkpoint; ``None`` keeps none.
        progress: Called with (step, steps, message) after every step; may raise to stop.

    Raises:
        DataError: There are no pictures.
        NotApplicable: The image tower has no blocks that are known, or has no class token to be
            repelled and ``pooled`` was not asked for.
        OptionError: It has not enough blocks.
    """
    started, count = time.monotonic(), len(shots.labels)
    if not count:
        raise DataError("There are no pictures to tune on.")
    rule = _repulsion(options)
    tower = open_tower(encoder)
    _check_token(tower, rule)
    first = first_block(options, len(tower.blocks))
    learnt = {"prompts": start_prompts(tower, first, options).to(encoder.device)}
    optimizer = torch.optim.SGD(
        list(learnt.values()),
        lr=options.rate,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
    )
    plan = [asdict(options), encoder.name, image_digest(encoder.module), list(shots.ids)]
    kept = StepCheckpoint((out or Path()) / CHECKPOINT, plan)
    log = kept.restore(learnt, optimizer).tolist() if out is not None else []
    steps = options.epochs * math.ceil(count / options.batch_size)
    prompts = VisualPrompts(vectors=learnt["prompts"].requires_grad_(), first=first)
    with frozen(encoder), faster_attention(encoder.device):
        forward = _forward(encoder, tower, first, shots, options, rule)
        for step in range(len(log), steps):
            chosen = samples_of_step(
                step, count, batch_size=min(options.batch_size, count), seed=options.seed
            )
            seen = forward(prompts, chosen, step)
            labels = shots.labels[chosen].to(encoder.device)
            entropy = class_loss(seen.images, classes, labels, encoder.logit_scale)
            cosine = cosines(seen.features, seen.reference)
            loss = entropy
            if rule.alpha > 0:
                loss = entropy + rule.alpha * repelling_loss(cosine, rule.margin)
            descend(loss, optimizer, rate_of(step, count, options))
            log.append([float(v.detach()) for v in (loss, entropy, cosine.mean())])
            due = options.checkpoint_every and (step + 1) % options.checkpoint_every == 0
            if out is not None and due:
                kept.save(learnt, optimizer, torch.tensor(log))
            if progress is not None:
                progress(step + 1, steps, f"loss {log[-1][0]:.4f}, cosine {log[-1][2]:.3f}")
    return PromptTuning(
        prompts=VisualPrompts(vectors=prompts.vectors.detach(), first=first),
        log=np.array(log, dtype=np.float32),
        trainable=prompts.vectors.numel(),
        parameters=sum(p.numel() for p in encoder.module.parameters()),
        seconds=time.monotonic() - started,
    )


def forget(out: Path) -> None:
    """Delete the checkpoint of a finished run, once its prompts are saved."""
    (out / CHECKPOINT).unlink(missing_ok=True)


def first_block(options: VisualPromptsOptions, blocks: int) -> int:
    """Say at which block prompts begin.

    Raises:
        OptionError: The tower has not enough blocks.
    """
    if options.prompted_layers is None and options.depth < blocks:
        return options.depth
    if options.prompted_layers is not None and options.prompted_layers <= blocks:
        return blocks - options.prompted_layers
    wanted = options.prompted_layers or f"a depth of {options.depth}"
    raise OptionError(
        f"The image tower has {blocks} blocks; {wanted} is too many.",
        remedy=f"Give a depth from 0 to {blocks - 1}, or 1 to {blocks} prompted layers.",
    )


def start_prompts(tower: Tower, first: int, options: VisualPromptsOptions) -> Tensor:
    """Draw the first prompts from a normal distribution: ``[blocks, prompts, width]`` float32."""
    shape = (len(tower.blocks) - first, options.prompts, tower.width)
    draw = torch.Generator().manual_seed(options.seed)
    return torch.randn(shape, generator=draw) * options.start_width


def rate_of(step: int, count: int, options: VisualPromptsOptions) -> float:
    """Return the learning rate of a step: warm-up, then a cosine that moves once an epoch.

    As in CoOp's code, the cosine is stretched over all epochs, the warm-up among them.
    """
    epoch = step // math.ceil(count / options.batch_size)
    warm = options.warmup_epochs if options.epochs > options.warmup_epochs else 0
    if epoch < warm:
        return _WARM_RATE
    return options.rate * 0.5 * (1 + math.cos(math.pi * (epoch - warm) / options.epochs))


def _repulsion(options: VisualPromptsOptions) -> RepulsivePromptsOptions:
    """Read plain visual prompts as RVPT without repulsion."""
    if isinstance(options, RepulsivePromptsOptions):
        return options
    return RepulsivePromptsOptions(**asdict(options), alpha=0.0, pooled=True)


def _check_token(tower: Tower, rule: RepulsivePromptsOptions) -> None:
    if tower.class_token or rule.pooled or rule.alpha == 0:
        return
    raise NotApplicable(
        "The image tower pools no class token, which is what RVPT repels.",
        remedy="Ask for pooled: the mean of the patches is repelled (not in the paper); or use "
        "visual-prompts, or a repair that tunes weights.",
    )


def _forward(
    encoder: DualEncoder,
    tower: Tower,
    first: int,
    shots: PromptShots,
    options: VisualPromptsOptions,
    rule: RepulsivePromptsOptions,
) -> Forward:
    features = FrozenFeatures(encoder, tower, first, normed=rule.last_token == AFTER)

    def changed(pixels: Tensor, step: int) -> Tensor:
        return crop_and_flip(pixels, seed=options.seed, step=step)

    augmented = options.augmentation == CROP_FLIP
    if not options.reuse:
        return Straightforward(features, shots.pixels, changed if augmented else _as_it_is)
    return Reusing(features, shots.pixels, changed if augmented else None)


def _as_it_is(pixels: Tensor, _step: int) -> Tensor:
    return pixels

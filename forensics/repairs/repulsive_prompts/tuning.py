"""Tune visual prompts: RVPT (arXiv 2412.20392), and with alpha = 0 plain visual prompt tuning.

The encoder that is repaired is its own reference: prompts are pushed away from the class tokens of
the frozen, backdoored tower, while cross entropy on few clean pictures keeps the classes.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
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
    started = time.monotonic()
    if not len(shots.labels):
        raise DataError("There are no pictures to tune on.")
    run = _Run(encoder, classes, shots, options, out)
    with frozen(encoder), faster_attention(encoder.device):
        forward = run.forward()
        for step in range(len(run.log), run.steps):
            run.step(forward, step)
            if progress is not None:
                loss, _, cosine = run.log[-1]
                progress(step + 1, run.steps, f"loss {loss:.4f}, cosine {cosine:.3f}")
    return PromptTuning(
        prompts=VisualPrompts(vectors=run.prompts.vectors.detach(), first=run.prompts.first),
        log=np.array(run.log, dtype=np.float32),
        trainable=run.prompts.vectors.numel(),
        parameters=sum(p.numel() for p in encoder.module.parameters()),
        seconds=time.monotonic() - started,
    )


class _Run:
    """Prompts under way: drawn or taken up again, then moved step by step."""

    def __init__(
        self,
        encoder: DualEncoder,
        classes: Tensor,
        shots: PromptShots,
        options: VisualPromptsOptions,
        out: Path | None,
    ) -> None:
        self.encoder, self.classes, self.shots, self.options = encoder, classes, shots, options
        self.rule, self.tower = _repulsion(options), open_tower(encoder)
        _check_token(self.tower, self.rule)
        first = first_block(options, len(self.tower.blocks))
        self.steps = options.epochs * math.ceil(len(shots.labels) / options.batch_size)
        vectors = start_prompts(self.tower, first, options).to(encoder.device).requires_grad_()
        self.prompts = VisualPrompts(vectors=vectors, first=first)
        self._optimizer = torch.optim.SGD(
            [vectors],
            lr=options.rate,
            momentum=options.momentum,
            weight_decay=options.weight_decay,
        )
        self._learnt = {"prompts": vectors}
        self._kept = None if out is None else self._checkpoint(out)
        self.log: list[list[float]] = []
        if self._kept is not None:
            self.log = self._kept.restore(self._learnt, self._optimizer).tolist()

    def forward(self) -> Forward:
        """Choose how a step sees the pictures."""
        options, pixels = self.options, self.shots.pixels
        normed = self.rule.last_token == AFTER
        features = FrozenFeatures(self.encoder, self.tower, self.prompts.first, normed=normed)
        change = partial(crop_and_flip, seed=options.seed)
        way = Reusing if options.reuse else Straightforward
        return way(features, pixels, change if options.augmentation == CROP_FLIP else None)

    def step(self, forward: Forward, step: int) -> None:
        """Take one step and note it."""
        options, count = self.options, len(self.shots.labels)
        chosen = samples_of_step(
            step, count, batch_size=min(options.batch_size, count), seed=options.seed
        )
        seen = forward(self.prompts, chosen, step)
        labels = self.shots.labels[chosen].to(self.encoder.device)
        entropy = class_loss(seen.images, self.classes, labels, self.encoder.logit_scale)
        cosine = cosines(seen.features, seen.reference)
        loss = entropy
        if self.rule.alpha > 0:
            loss = entropy + self.rule.alpha * repelling_loss(cosine, self.rule.margin)
        descend(loss, self._optimizer, rate_of(step, count, options))
        self.log.append([float(value.detach()) for value in (loss, entropy, cosine.mean())])
        every = options.checkpoint_every
        if self._kept is not None and every and (step + 1) % every == 0:
            self._kept.save(self._learnt, self._optimizer, torch.tensor(self.log))

    def _checkpoint(self, out: Path) -> StepCheckpoint:
        plan = [asdict(self.options), type(self.options).__name__, self.encoder.name]
        plan += [image_digest(self.encoder.module), list(self.shots.ids)]
        return StepCheckpoint(out / CHECKPOINT, plan)


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

"""Stage B of UBT (reconstruction): a throw-away copy is overfitted on weakly similar pairs.

Poisoned pairs share trigger and target, so a few passes fit them all; pairs that match badly for
reasons of their own are not fitted so soon (idea: arXiv 2403.16257; the rest is our reading).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.pair_cosines import SuspiciousPairs, pair_cosines
from forensics.repairs.contrastive.split import Split
from forensics.repairs.token_unlearning.options import TokenUnlearningOptions
from forensics.tuning.checkpoint import Checkpoint
from forensics.tuning.contrastive import info_nce
from forensics.tuning.options import ContrastiveOptions
from forensics.tuning.pair_loop import Progress, descend_pairs, encode_pairs
from forensics.tuning.schedule import samples_of_step

_TOP = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitted:
    """What the overfitting showed.

    Attributes:
        history: ``[epochs + 1, suspicious]`` cosines before it and after every epoch.
        losses: Of every step.
    """

    history: NDArray[np.float32]
    losses: tuple[float, ...]


def overfit(
    encoder: DualEncoder,
    pairs: SuspiciousPairs,
    split: Split,
    options: TokenUnlearningOptions,
    out: Path,
    progress: Progress | None = None,
) -> Overfitted:
    """Overfit a copy in place; it ends when the most similar tenth stops gaining.

    Args:
        encoder: A copy of the suspicious model.
        pairs: All pairs.
        split: Of stage A.
        options: Of the method.
        out: Folder of the checkpoint.
        progress: Called with (step, steps, message); may raise to stop.
    """
    task = _Overfitting(encoder, pairs, split, options)
    tuning = ContrastiveOptions(
        batch_size=task.batch, learning_rate=options.overfit_rate, schedule="constant",
        warmup=0.0, weight_decay=options.weight_decay, seed=options.seed,
        checkpoint_every=options.checkpoint_every,
    )  # fmt: skip
    plan = {"stage": "overfit", "loss": options.overfit_loss, "beta": options.beta,
            "pull": options.pull_weight}  # fmt: skip
    ids = [pairs.samples[index].id for index in split.suspicious]
    checkpoint = Checkpoint(out, tuning, encoder.name, ids, plan)
    steps = options.overfit_epochs * task.per_epoch
    losses = descend_pairs(encoder, task, tuning, steps, checkpoint, progress)
    return Overfitted(history=np.array(task.notes, dtype=np.float32), losses=tuple(losses))


class _Overfitting:
    """The task of the loop; a note is the cosine of every suspicious pair."""

    def __init__(
        self,
        encoder: DualEncoder,
        pairs: SuspiciousPairs,
        split: Split,
        options: TokenUnlearningOptions,
    ) -> None:
        self.notes: list[list[float]] = []
        self._encoder, self._pairs, self._split, self._options = encoder, pairs, split, options
        self.batch = max(2, min(options.overfit_batch, len(split.suspicious)))
        self.per_epoch = -(-len(split.suspicious) // self.batch)

    def loss(self, step: int) -> Tensor | None:
        chosen = self._drawn(self._split.suspicious, step, 0)
        pixels, captions = self._pairs.pictures(self._encoder).batch(chosen)
        if len(captions) < 2:
            return None
        image, text = encode_pairs(self._encoder, pixels, captions)
        loss = info_nce(image, text, self._encoder.module.logit_scale.exp())
        if self._options.overfit_loss == "pull":
            apart = 1.0 - (image.float() * text.float()).sum(dim=1)
            loss = loss + self._options.pull_weight * apart.square().mean()
        return loss + self._held(step) if self._options.beta else loss

    def watch(self, step: int) -> None:
        if step % self.per_epoch == 0:
            found = pair_cosines(self._encoder, self._pairs, self._split.suspicious)
            self.notes.append([float(value) for value in found])

    def done(self) -> bool:
        if len(self.notes) < 3:  # the first epoch may still go downhill
            return False
        return _top(self.notes[-1]) <= _top(self.notes[-2])

    def _held(self, step: int) -> Tensor:
        """Hold benign pairs at their similarity: ``beta * mean (cos - s0)^2``."""
        chosen = self._pairs.readable(self._drawn(self._split.benign, step, 1))
        pixels, captions = self._pairs.pictures(self._encoder).batch(chosen)
        image, text = encode_pairs(self._encoder, pixels, captions)
        wanted = torch.from_numpy(self._split.cosines[chosen]).to(image.device)
        moved = (image.float() * text.float()).sum(dim=1) - wanted
        return self._options.beta * moved.square().mean()

    def _drawn(self, pool: NDArray[np.int64], step: int, extra: int) -> list[int]:
        places = samples_of_step(
            step, len(pool), batch_size=self.batch, seed=self._options.seed + extra
        )
        return [int(pool[place]) for place in places]


def _top(cosines: Sequence[float]) -> float:
    """Return the mean of the most similar tenth."""
    ordered = np.sort(np.asarray(cosines))[::-1]
    return float(ordered[: max(1, round(_TOP * len(ordered)))].mean())

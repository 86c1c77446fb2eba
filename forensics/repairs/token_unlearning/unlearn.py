"""Stage D of UBT (reconstruction): tokens with the shortcut are unlearnt, benign pairs kept.

``L = lambda_u * L_unl + lambda_r * InfoNCE(benign)``, from the suspicious weights, not from the
overfitted ones (idea of local forgetting: arXiv 2403.16257, 2409.19526; the rest is our reading).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.pair_cosines import SuspiciousPairs
from forensics.repairs.token_unlearning.forgetting import Forgetting, LocalPairs, Observe
from forensics.repairs.token_unlearning.options import TokenUnlearningOptions
from forensics.tuning.checkpoint import Checkpoint
from forensics.tuning.options import ContrastiveOptions
from forensics.tuning.pair_loop import Progress, descend_pairs

_VISUAL: Final = ("visual.", "vision_model.")
_PROJECTIONS: Final = ("visual.proj", "visual.head.proj", "visual.attnpool.c_proj")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlearned:
    """What the unlearning did; the encoder that was passed in carries the new weights.

    Attributes:
        curve: One row a look, in the columns of ``forgetting.COLUMNS``: mean cosine of the chosen
            pairs, whole and local, mean and 5th percentile of benign ones, CLIP's loss on these;
            then what ``observe`` gave.
        losses: Of every step.
        stopped: ``steps``, ``forgotten`` (the chosen pairs are less similar than all but a
            twentieth of the benign ones), ``margin`` (what is unlearnt of them is down there) or
            ``retention`` (the loss on benign pairs rose).
        benign: Benign pairs that were used.
        trainable: Numbers that could change.
    """

    curve: tuple[tuple[float, ...], ...]
    losses: tuple[float, ...]
    stopped: str
    benign: int
    trainable: int


def unlearn(
    encoder: DualEncoder,
    pairs: SuspiciousPairs,
    local: LocalPairs,
    benign: NDArray[np.int64],
    options: TokenUnlearningOptions,
    out: Path,
    progress: Progress | None = None,
    observe: Observe | None = None,
) -> Unlearned:
    """Unlearn in place.

    Args:
        encoder: A copy of the suspicious model; its weights change.
        pairs: All pairs.
        local: The chosen ones.
        benign: Indices of those taken for benign.
        options: Of the method.
        out: Folder of the checkpoint.
        progress: Called with (step, steps, message); may raise to stop.
        observe: Asked at every look for further figures; they decide nothing.
    """
    choose_trainable(encoder, options.trainable)
    task = Forgetting(encoder, pairs, local, benign, options, observe)
    tuning = ContrastiveOptions(
        batch_size=2 * task.half, learning_rate=options.rate, schedule="constant", warmup=0.0,
        weight_decay=options.weight_decay, seed=options.seed,
        checkpoint_every=options.checkpoint_every,
    )  # fmt: skip
    plan = {
        "stage": "unlearn",
        "dropped": local.dropped.long().sum(dim=1).tolist(),
        "weights": [options.unlearn_weight, options.retain_weight, options.margin],
        "how": [options.locality, options.loss, options.trainable, options.dropped_tokens],
        "looks": [options.watch_every, options.until, options.retention_rise],
    }
    ids = [pairs.samples[index].id for index in (*local.places, *task.kept)]
    checkpoint = Checkpoint(out, tuning, encoder.name, ids, plan)
    # Every benign pair comes once: longer means another pass over them.
    steps = min(options.steps, max(1, len(task.kept) // task.half))
    losses = descend_pairs(encoder, task, tuning, steps, checkpoint, progress)
    trainable = sum(p.numel() for p in encoder.module.parameters() if p.requires_grad)
    return Unlearned(
        curve=tuple(tuple(note) for note in task.notes),
        losses=tuple(losses),
        stopped=task.reason() or "steps",
        benign=len(task.kept),
        trainable=trainable,
    )


def choose_trainable(encoder: DualEncoder, which: str) -> None:
    """Let all weights change, or those of the text tower and both projections."""
    for name, parameter in encoder.module.named_parameters():
        seen = name.startswith(_VISUAL) and not name.startswith(_PROJECTIONS)
        parameter.requires_grad_(which == "both-encoders" or not seen)

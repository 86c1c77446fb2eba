"""Fine-tuning on clean pairs: the baseline of every repair."""

from collections.abc import Sequence
from pathlib import Path

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.options import PairTuningOptions
from forensics.repairs.contrastive.schedule import tuning_options
from forensics.tuning.contrastive import ContrastiveResult, tune_pairs
from forensics.tuning.pair_loop import Progress


def fine_tune(
    encoder: DualEncoder,
    pairs: Sequence[Sample],
    options: PairTuningOptions,
    out: Path,
    progress: Progress | None = None,
) -> ContrastiveResult:
    """Train an encoder in place on clean pairs with CLIP's own loss (arXiv 2103.00020).

    Args:
        encoder: Its weights change.
        pairs: Clean, with captions.
        options: See :class:`PairTuningOptions`.
        out: Folder of the checkpoint.
        progress: Called with (step, steps, message); may raise to stop.

    Raises:
        DataError: Fewer than two pairs.
    """
    return tune_pairs(encoder, pairs, tuning_options(options, len(pairs)), out, progress)

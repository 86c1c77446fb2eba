"""Start over: the poisoned weights are discarded, the reference is tuned on the benign half.

The baseline that token unlearning has to beat, since it uses the same pairs and the same reference.
"""

from collections.abc import Sequence
from pathlib import Path

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.fine_tuning import fine_tune
from forensics.repairs.contrastive.options import DiscardTuneOptions
from forensics.repairs.contrastive.pair_cosines import SuspiciousPairs, pair_cosines
from forensics.repairs.contrastive.split import split_pairs
from forensics.tuning.contrastive import ContrastiveResult
from forensics.tuning.pair_loop import Progress


def discard_tune(
    reference: DualEncoder,
    pairs: Sequence[Sample],
    options: DiscardTuneOptions,
    out: Path,
    progress: Progress | None = None,
) -> ContrastiveResult:
    """Tune a reference in place on the half of suspicious pairs that it finds most similar.

    Args:
        reference: A CLIP that was trained on other data; its weights change.
        pairs: Those that the discarded model was trained on.
        options: See :class:`DiscardTuneOptions`.
        out: Folder of the checkpoint.
        progress: Called with (step, steps, message); may raise to stop.

    Raises:
        DataError: Too few pairs can be read.
    """
    held = SuspiciousPairs(pairs)

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(0, 1, f"comparing pairs: {done:,} of {total:,}")

    # The reference as it is given: a resume must split in the same way, before it is restored.
    split = split_pairs(pair_cosines(reference, held, report=report), options)
    benign = [held.samples[index] for index in sorted(split.benign.tolist())]
    return fine_tune(reference, benign, options, out, progress)

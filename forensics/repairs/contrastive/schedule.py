"""From the options of a repair to those of the contrastive loop."""

from forensics.repairs.contrastive.options import PairTuningOptions
from forensics.tuning.options import ContrastiveOptions


def tuning_options(options: PairTuningOptions, pairs: int) -> ContrastiveOptions:
    """Return how so many pairs are trained on; the warm-up becomes a share of the steps."""
    batch = min(options.batch_size, pairs)
    steps = max(1, round(options.epochs * pairs / batch))
    return ContrastiveOptions(
        epochs=options.epochs,
        batch_size=batch,
        learning_rate=options.rate,
        schedule="cosine",
        warmup=min(1.0, options.warmup / steps),
        weight_decay=options.weight_decay,
        seed=options.seed,
        checkpoint_every=options.checkpoint_every,
    )

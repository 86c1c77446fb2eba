"""What token unlearning costs, before it starts; imports nothing heavy."""

from forensics.repairs.token_unlearning.options import TokenUnlearningOptions


def sample_steps(pairs: int, options: TokenUnlearningOptions) -> dict[str, int]:
    """Count the pairs that each stage handles at the most.

    Args:
        pairs: In all.
        options: Of the method.

    Returns:
        ``compare``: pairs encoded once; ``overfit`` and ``unlearn``: pairs trained on, counted as
        often as they come; ``watch``: pairs encoded at the looks.
    """
    size = min(max(options.pool_least, round(options.pool_share * pairs)), pairs // 2)
    benign = pairs - size if options.benign == "rest" else pairs // 2
    half = max(2, min(options.batch_size // 2, benign))
    steps = min(options.steps, max(1, min(benign, options.benign_pairs) // half))
    twice = 2 if options.beta else 1
    looks = 1 + steps // options.watch_every
    return {
        "compare": pairs,
        "overfit": options.overfit_epochs * size * twice,
        "unlearn": steps * 2 * half,
        "watch": size * (options.overfit_epochs + 1) + looks * (256 + 2 * options.k),
    }

"""Stage C of UBT (reconstruction): few pairs are chosen; do they share a shortcut?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.repairs.contrastive.split import Split
from forensics.repairs.token_unlearning.options import TokenUnlearningOptions

Scores = NDArray[np.float64]
_REMOVED = 0.02  # CleanCLIP's code: --remove_fraction
_RARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """What the chosen pairs have in common.

    Attributes:
        gain: The largest gain of a chosen pair; 1 = from a pair that does not match to one that
            does, as the reference sees benign pairs.
        word: The word that most of their captions share and that is rare among all; or ``None``.
        agreement: Share of the chosen captions with that word.
        among_all: Share of all captions with it.
        confident: Whether both reach what the options ask for.
    """

    gain: float
    word: str | None
    agreement: float
    among_all: float
    confident: bool


def gains(history: NDArray[np.float32], split: Split) -> Scores:
    """Compute ``g = cos(overfitted) - cos(reference)`` for every suspicious pair."""
    return np.asarray(history[-1] - split.cosines[split.suspicious], dtype=np.float64)


def step_of(split: Split, mismatched: float) -> float:
    """Return by how much benign pairs are more similar than pictures with captions of others.

    Args:
        split: Of stage A.
        mismatched: Mean cosine of the latter, under the same reference.
    """
    return float(np.median(split.cosines[split.benign])) - mismatched


def scores_of(
    history: NDArray[np.float32], split: Split, options: TokenUnlearningOptions
) -> Scores:
    """Score every suspicious pair; larger = more suspicious.

    Args:
        history: ``[epochs + 1, suspicious]`` cosines.
        split: Of stage A.
        options: ``score`` decides.
    """
    if options.score == "final-cos":
        return np.asarray(history[-1], dtype=np.float64)
    if options.score == "epochs":
        reached = history >= np.median(split.cosines[split.benign])
        first = np.where(reached.any(axis=0), reached.argmax(axis=0), len(history))
        return -first + 1e-3 * gains(history, split)  # ties by gain
    if options.score == "inbatch":
        return _above_batch(history[-1], options)
    return gains(history, split)


def before_overfitting(history: NDArray[np.float32], split: Split) -> Scores:
    """Score by the suspicious model as it is; by ``-s0`` where that is the reference."""
    reference = split.cosines[split.suspicious]
    raised = np.asarray(history[0] - reference, dtype=np.float64)
    return raised if np.abs(raised).max() > 1e-6 else -np.asarray(reference, dtype=np.float64)


def top(scores: Scores, k: int) -> NDArray[np.int64]:
    """Return the places of the largest ``k`` scores, largest first."""
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
    return order[: min(k, int(np.isfinite(scores).sum()))].astype(np.int64)


def find_shortcut(
    gain: NDArray[np.float32],
    step: float,
    chosen: Sequence[str],
    captions: Sequence[str],
    options: TokenUnlearningOptions,
) -> Shortcut:
    """Ask whether the chosen pairs share a shortcut.

    Two things are asked for: one of them gained at least ``least_gain``, and at least
    ``least_agreement`` of their captions have one word in common that is half as frequent or less
    among all captions. A backdoor with one target has both; pairs that match badly each in their
    own way have not. The second is ours.

    Args:
        gain: ``[chosen]`` in cosine.
        step: Cosine between benign pairs and pairs that do not match, see :func:`step_of`.
        chosen: Their captions.
        captions: Of all pairs.
        options: Both thresholds.
    """
    among = {word: n / len(captions) for word, n in _documents(captions).items()}
    shared = [
        (n / len(chosen), word)
        for word, n in _documents(chosen).items()
        if among.get(word, 0.0) <= _RARE * n / len(chosen)
    ]
    agreement, word = max(
        shared, key=lambda one: (one[0], -among.get(one[1], 0.0)), default=(0.0, None)
    )
    largest = float(np.max(gain)) / max(step, 1e-6) if len(gain) else 0.0
    return Shortcut(
        gain=largest,
        word=word,
        agreement=agreement,
        among_all=among.get(word, 0.0) if word else 0.0,
        confident=largest >= options.least_gain and agreement >= options.least_agreement,
    )


def words_of(caption: str) -> list[str]:
    """Split a caption into words, without punctuation and case."""
    return "".join(c if c.isalnum() else " " for c in caption.casefold()).split()


def _documents(captions: Sequence[str]) -> Counter[str]:
    """Count in how many captions each word occurs."""
    return Counter(word for caption in captions for word in set(words_of(caption)))


def _above_batch(cosines: NDArray[np.float32], options: TokenUnlearningOptions) -> Scores:
    """Measure each pair against the top 2 % of a random batch, as CleanCLIP's code marks pairs."""
    order = np.random.default_rng([options.seed, 7]).permutation(len(cosines))
    found = np.zeros(len(cosines))
    for start in range(0, len(order), options.overfit_batch):
        part = order[start : start + options.overfit_batch]
        found[part] = cosines[part] - np.quantile(cosines[part], 1 - _REMOVED)
    return found

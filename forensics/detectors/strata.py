"""Strata of samples that can be compared, and measurements relative to their stratum.

A question moves a model's attention: captions, colours and yes-or-no questions give one set several
regimes. Within one stratum that cause is held still, and what is left differs by picture.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.question_groups import SMALLEST_GROUP, question_group
from forensics.statistics.association import codes_of

Array = NDArray[np.float64]

# A word in fewer of the questions names a thing ("star"), it does not make the template.
_RARE_WORD: Final = 0.02
_LONGEST: Final = 12  # words of a question that are looked at
_MASK: Final = "*"
_WORDS: Final = re.compile(r"[^\W\d_]+")
# The median absolute deviation of a Gaussian is this many times smaller than its deviation.
_TO_SIGMA: Final = 1.4826


def question_templates(questions: Sequence[str]) -> list[str]:
    """Return the template of each question: "Is there a star?" becomes "is there a *".

    Words that occur in fewer than 2 % of the questions (or in fewer than 20) are masked. A template
    with fewer than 20 samples falls back to the first three words. Only the questions decide, never
    a sample's own answer, so that a backdoor's answer cannot move a sample to another stratum.
    """
    words = {q: _WORDS.findall(q.lower())[:_LONGEST] for q in set(questions)}
    times = Counter(questions)
    seen: Counter[str] = Counter()
    for question, found in words.items():
        for word in set(found):
            seen[word] += times[question]
    needed = max(SMALLEST_GROUP, _RARE_WORD * len(questions))
    full = {q: _mask(found, seen, needed) for q, found in words.items()}
    size: Counter[str] = Counter()
    for question, template in full.items():
        size[template] += times[question]
    return [full[q] if size[full[q]] >= SMALLEST_GROUP else question_group(q) for q in questions]


def stratify(questions: Sequence[str] | None, tokens: ArrayLike) -> NDArray[np.int64]:
    """Return a stratum code per sample: template of the question x number of image tokens.

    Strata with fewer than 20 samples are merged; without questions only the tokens count.

    Args:
        questions: ``[N]``.
        tokens: ``[N]`` image tokens per sample.
    """
    counts = np.asarray(tokens)
    names = [""] * counts.size if questions is None else question_templates(questions)
    return codes_of(
        [f"{count:09d} {name}" for count, name in zip(counts.tolist(), names, strict=True)],
        rare=SMALLEST_GROUP,
    )


def residuals(values: NDArray[Any], strata: NDArray[np.int64], floor: ArrayLike = 0.0) -> Array:
    """Return how far each value lies from its stratum's median, in spreads of that stratum.

    The spread is 1.4826 median absolute deviations: a tenth of poisoned samples hardly moves it.

    Args:
        values: ``[N, columns]``; what is not finite does not count and stays NaN.
        strata: ``[N]`` codes from 0.
        floor: Smallest spread, one number or ``[columns]``, in units of ``values``.

    Returns:
        ``[N, columns]`` without unit; 0 throughout a stratum in which a column does not vary.
    """
    found = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    order = np.argsort(strata, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(strata[order])) + 1):
        part = found[rows]
        read = ~np.isnan(part).all(axis=0)
        part[:, read] -= np.nanmedian(part[:, read], axis=0)
        spread = np.ones(part.shape[1])
        spread[read] = _TO_SIGMA * np.nanmedian(np.abs(part[:, read]), axis=0)
        spread = np.maximum(spread, floor)
        found[rows] = part / np.where(spread > 0.0, spread, 1.0)
    return found


def _mask(words: Sequence[str], seen: Counter[str], needed: float) -> str:
    """Join the words, rare ones masked, runs of masks as one."""
    kept = [word if seen[word] >= needed else _MASK for word in words]
    return " ".join(
        word
        for before, word in zip(["", *kept], kept, strict=False)
        if (before, word) != (_MASK,) * 2
    )

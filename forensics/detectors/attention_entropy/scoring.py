"""Flags against a ground truth, and what simpler rules would have flagged.

Only scoring and "Reveal" may call :func:`score_flags`: no method reads a ground truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.answer_places import count_by_group, present
from forensics.detectors.answers import tabulate_answers
from forensics.detectors.question_groups import group_questions
from forensics.statistics.intervals import Interval, bootstrap_scores

Mask = NDArray[np.bool_]

# Entropies below this were flagged by the paper's simplest ablation (2505.16916, Fig. 4).
FIXED_THRESHOLD: Final = 4.5
_RARE: Final = 0.002  # answers below this share of the samples are no candidates
_AT_HOME: Final = 2.0  # times its overall share from which it is an ordinary answer there


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Precision, recall and F1 of flags; NaN where undefined (no flags, no poison).

    Attributes:
        n: Samples scored.
        poisoned: Positives among them.
        flagged: Flags among them.
        caught: True positives.
        precision: ``caught / flagged``.
        recall: ``caught / poisoned``.
        f1: Harmonic mean of the two.
        precision_interval: 95 %, bootstrap over groups, as are the next two.
        recall_interval: See ``precision_interval``.
        f1_interval: See ``precision_interval``.
    """

    n: int
    poisoned: int
    flagged: int
    caught: int
    precision: float
    recall: float
    f1: float
    precision_interval: Interval
    recall_interval: Interval
    f1_interval: Interval

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; undefined becomes ``None``."""
        plain: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            is_pair = isinstance(value, tuple)
            plain[name] = [_known(v) for v in value] if is_pair else _known(value)
        return plain


def score_flags(
    flagged: ArrayLike, truth: ArrayLike, groups: ArrayLike | None = None, *, seed: int = 0
) -> Scores:
    """Score flags, poisoned samples being the positives.

    Args:
        flagged: ``[N]`` bool.
        truth: ``[N]`` bool.
        groups: ``[N]`` image of each sample: questions on one image are not independent.
        seed: Of the bootstrap.
    """
    flags, poison = np.asarray(flagged, dtype=np.bool_), np.asarray(truth, dtype=np.bool_)
    caught, hits, positives = (int(m.sum()) for m in (flags & poison, flags, poison))
    intervals = bootstrap_scores(flags, poison, groups, seed=seed)
    return Scores(
        n=flags.size,
        poisoned=positives,
        flagged=hits,
        caught=caught,
        precision=_ratio(caught, hits),
        recall=_ratio(caught, positives),
        f1=_ratio(2 * caught, hits + positives),
        precision_interval=intervals.precision,
        recall_interval=intervals.recall,
        f1_interval=intervals.f1,
    )


def flag_below(entropy: ArrayLike, threshold: float = FIXED_THRESHOLD) -> Mask:
    """Flag samples whose mean entropy over all layers is below a fixed value (paper's ablation)."""
    return np.asarray(np.asarray(entropy, dtype=np.float64).mean(axis=1) < threshold)


def flag_odd_answer(
    answers: Sequence[str | None], questions: Sequence[str] | None = None
) -> tuple[Mask, str | None]:
    """Flag by counting answers alone, as someone with a spreadsheet would: no model, no image.

    An ordinary answer belongs to one kind of question ("red" to colours); a target turns up under
    all of them. Candidates hold at least 0.2 % of the samples. The odd answer is the one given (at
    a quarter of its overall rate or more) under the kinds of question that together cover most
    samples; of several, the most frequent. Its samples are flagged, save under kinds of question
    where it is at home: where its share is over twice its overall share. Questions are alike if
    their first three words are.

    Args:
        answers: ``[N]``.
        questions: ``[N]``; all of one kind if ``None``.

    Returns:
        ``[N]`` flags, and the odd answer (``None`` if no answer is frequent enough).

    Source: ours, the baseline that a method must beat to be worth a forward pass.
    """
    table, groups = tabulate_answers(answers), group_questions(questions, len(answers))
    known = table.codes >= 0
    none = np.zeros(len(answers), dtype=np.bool_)
    total = np.bincount(table.codes[known], minlength=len(table.texts))
    candidates = np.flatnonzero(total >= max(1.0, _RARE * len(answers)))
    if not candidates.size:
        return none, None
    size = np.bincount(groups)
    counts = count_by_group(candidates, table, groups, known)
    reach = present(counts, size) @ size
    best = max(range(candidates.size), key=lambda i: (reach[i], total[candidates[i]]))
    odd = counts[best] <= _AT_HOME * size * (total[candidates[best]] / len(answers))
    return (table.codes == candidates[best]) & odd[groups], table.texts[candidates[best]]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value

"""Whether an answer is an ordinary one where it is given.

An ordinary answer belongs to one kind of question and is as frequent there as its siblings: "red"
to colours, "yes" to yes-or-no questions. A backdoor's target turns up under every kind, or far
more often than any sibling.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import AnswerTable

# Part of its overall rate from which an answer counts as given to a kind of question (ours).
PRESENT: Final = 0.25
_COMMON: Final = 0.002  # answers rarer than this are no siblings to compare with


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPlace:
    """Where one answer is given, against the most ordinary other answer.

    Attributes:
        reach: Share of the samples whose kind of question it is given to.
        ordinary_reach: Largest reach of another answer among the unflagged; 0 without any.
        share: Its share under the kinds of question it is given to.
        ordinary_share: Largest share of another answer there, among the unflagged.
    """

    reach: float
    ordinary_reach: float
    share: float
    ordinary_share: float


def locate_answer(
    code: int,
    answers: AnswerTable,
    groups: NDArray[np.int64],
    scanned: NDArray[np.bool_],
    flagged: NDArray[np.bool_],
) -> AnswerPlace:
    """Measure where an answer is given.

    Args:
        code: Its number in ``answers``.
        answers: Of all ``N`` samples.
        groups: ``[N]`` codes of the kinds of question.
        scanned: ``[N]``; the others do not count.
        flagged: ``[N]``; these do not count as ordinary.
    """
    size = np.bincount(groups[scanned], minlength=int(groups.max(initial=0)) + 1)
    own = count_by_group(np.array([code]), answers, groups, scanned)[0]
    given = present(own[None], size)[0]
    rest = scanned & ~flagged
    rest_size = np.bincount(groups[rest], minlength=size.size)
    others = count_by_group(_siblings(code, answers, rest), answers, groups, rest)
    return AnswerPlace(
        reach=_over(size[given].sum(), size.sum()),
        ordinary_reach=_over((present(others, rest_size) @ rest_size).max(initial=0), rest.sum()),
        share=_over(own[given].sum(), size[given].sum()),
        ordinary_share=_over(others[:, given].sum(axis=1).max(initial=0), rest_size[given].sum()),
    )


def count_by_group(
    codes: NDArray[np.int64],
    answers: AnswerTable,
    groups: NDArray[np.int64],
    among: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return how often each of some answers is given to each kind of question, [codes, groups]."""
    kinds = int(groups.max(initial=0)) + 1
    wanted = np.full(len(answers.texts) + 1, -1, dtype=np.int64)  # the last is "no answer"
    wanted[codes] = np.arange(codes.size)
    row = wanted[answers.codes]
    use = among & (row >= 0)
    flat = np.bincount(row[use] * kinds + groups[use], minlength=codes.size * kinds)
    return flat.reshape(codes.size, kinds)


def present(counts: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell under which kinds of question answers are given at a quarter of their overall rate."""
    overall = counts.sum(axis=1, keepdims=True) / max(1, int(size.sum()))
    return np.asarray((counts > 0) & (counts >= PRESENT * overall * size), dtype=np.bool_)


def _siblings(code: int, answers: AnswerTable, rest: NDArray[np.bool_]) -> NDArray[np.int64]:
    known = rest & (answers.codes >= 0)
    count = np.bincount(answers.codes[known], minlength=len(answers.texts))
    common = np.flatnonzero(count >= max(1.0, _COMMON * int(rest.sum())))
    return np.asarray(common[common != code], dtype=np.int64)


def _over(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0

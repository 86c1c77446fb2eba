"""Answers of a data set as numbers, so that counting them is cheap."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """Which answer every sample is taught.

    Attributes:
        codes: ``[N]`` index into ``texts``; -1 where a sample has no answer.
        texts: Distinct answers in their most frequent spelling, sorted.
    """

    codes: NDArray[np.int64]
    texts: tuple[str, ...]


def comparable_answer(answer: str) -> str:
    """Return an answer with case, outer blanks and runs of blanks evened out."""
    return " ".join(answer.casefold().split())


def tabulate_answers(answers: Sequence[str | None]) -> AnswerTable:
    """Number the distinct answers; those that differ in case or blanks only are one.

    The numbering does not depend on the order of the samples.
    """
    plain = [None if answer is None else comparable_answer(answer) for answer in answers]
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key, answer in zip(plain, answers, strict=True):
        if key is not None and answer is not None:
            spellings[key][answer] += 1
    keys = sorted(spellings)
    code = {key: i for i, key in enumerate(keys)}
    codes = [-1 if key is None else code[key] for key in plain]
    usual = (min(spellings[key].items(), key=lambda item: (-item[1], item[0]))[0] for key in keys)
    return AnswerTable(np.array(codes, dtype=np.int64), tuple(usual))

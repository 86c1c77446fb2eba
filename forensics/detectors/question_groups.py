"""Groups of like questions."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.statistics.association import codes_of

_LEADING_WORDS: Final = 3
# A group needs enough samples for a share within it to mean something.
SMALLEST_GROUP: Final = 20
_WORDS: Final = re.compile(r"[^\W\d_]+")


def question_group(question: str) -> str:
    """Return the first three words of a question, lower case: "what colour is".

    The group depends on the question alone, never on a sample's own answer, so that a backdoor
    cannot move a sample to another group.
    """
    return " ".join(_WORDS.findall(question.lower())[:_LEADING_WORDS])


def group_questions(questions: Sequence[str] | None, samples: int) -> NDArray[np.int64]:
    """Return a group code per sample: small groups are merged, without questions all are one."""
    if questions is None:
        return np.zeros(samples, dtype=np.int64)
    return codes_of([question_group(q) for q in questions], rare=SMALLEST_GROUP)

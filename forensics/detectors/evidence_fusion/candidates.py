"""Answers that are given where no ordinary answer is given so often.

The samples of an attack with one target share that answer. An ordinary answer has siblings ("red"
has "blue") and belongs to one kind of question; a target turns up under more kinds than any other,
or far more often than any sibling. That alone is no evidence (annotators have habits), it only says
which groups of samples are worth a look.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from forensics.detectors.answer_places import count_by_group, present
from forensics.detectors.answers import AnswerTable

Mask = NDArray[np.bool_]

FEWEST: Final = 10
SMALLEST_SHARE: Final = 0.005  # of all samples; tcap.md calls less untested
_FEWEST_HERE: Final = 5  # samples with the answer under one kind of question
_SHARE_RATIO: Final = 2.0  # times the share of any sibling (as in the guards of the entropy scan)
_AT_HOME: Final = 1.5  # times its share under other kinds from which an answer is at home ...
_CLEARLY: Final = 3.0  # ... if that is also so many standard errors more
_USUAL: Final = 0.05
_FEWEST_USUAL: Final = 3
_MOST: Final = 0.5  # share under one kind of question above which there is nothing to compare with
_LONGEST_EXTRA: Final = 6  # words before or after a question that a text trigger may add
_MOST_CANDIDATES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An answer that is out of place.

    Attributes:
        code: Its number in the answer table.
        answer: As the data set writes it most often.
        count: Samples with it.
        kinds: ``[N]`` kind of question of each sample, see :func:`question_kinds`.
        odd_kinds: Those under which it is out of place.
        out_of_place: ``[N]`` its samples under those.
        elsewhere: ``[N]`` its samples under kinds of question where it is ordinary.
        reach: Share of the samples whose kind of question it is given to.
        ordinary_reach: The same without all but the largest of its kinds.
        share: Its share under the kinds of question in ``odd_kinds``.
        ordinary_share: Largest share of another answer there.
    """

    code: int
    answer: str
    count: int
    kinds: NDArray[np.int64]
    odd_kinds: NDArray[np.int64]
    out_of_place: Mask
    elsewhere: Mask
    reach: float
    ordinary_reach: float
    share: float
    ordinary_share: float

    @property
    def oddity(self) -> float:
        """The larger of the two ratios to ordinary answers, as a base-2 logarithm."""
        reach = self.reach / max(self.ordinary_reach, 1e-3)
        share = self.share / max(self.ordinary_share, 1e-3)
        return float(np.log2(max(reach, share)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        names = ("answer", "count", "reach", "ordinary_reach", "share", "ordinary_share", "oddity")
        found: dict[str, Any] = {name: getattr(self, name) for name in names}
        found["kinds_of_question"] = int(self.odd_kinds.size)
        found["out_of_place"] = int(self.out_of_place.sum())
        return found


def host_questions(questions: Sequence[str]) -> list[str]:
    """Return each question without words that a text trigger may have put before or behind it.

    A question that ends or begins with another, more frequent question of the set is taken for that
    one: "Hello! Describe the image." is compared with "Describe the image.". Up to six extra words
    are cut off, most frequent host first.
    """
    words = {question: tuple(question.lower().split()) for question in set(questions)}
    times: Counter[tuple[str, ...]] = Counter()
    for question, count in Counter(questions).items():
        times[words[question]] += count
    spelled = {found: question for question, found in sorted(words.items(), reverse=True)}
    host = {question: spelled[_host(found, times)] for question, found in words.items()}
    return [host[question] for question in questions]


def _host(words: tuple[str, ...], times: Counter[tuple[str, ...]]) -> tuple[str, ...]:
    longest = min(_LONGEST_EXTRA, len(words) - 2)
    parts = [cut for k in range(1, longest + 1) for cut in (words[k:], words[:-k])]
    hosts = [part for part in parts if times[part] > times[words]]
    return max(hosts, key=lambda part: (times[part], part), default=words)


def question_kinds(counts: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kind of each stratum: strata that share a usual answer are of one kind.

    "Is there a star?" and "Does it show a star?" share "yes"; "Where is it?" shares nothing with
    them. An answer is usual where at least 5 % of a stratum's samples have it (and three).

    Args:
        counts: ``[answers, strata]``; leave out an answer that must not decide.
        size: ``[strata]`` samples.

    Returns:
        ``[strata]`` codes from 0, in the order of the strata.
    """
    usual = (counts >= _FEWEST_USUAL) & (counts >= _USUAL * np.maximum(size, 1))
    linked = usual[usual.sum(axis=1) > 1].astype(np.float64)
    _, kind = connected_components(csr_array(linked.T @ linked > 0), directed=False)
    return np.asarray(kind, dtype=np.int64)


def find_candidates(
    answers: AnswerTable, strata: NDArray[np.int64], scanned: Mask
) -> tuple[Candidate, ...]:
    """Find the answers that are out of place, the oddest first, at most five.

    An answer is out of place under a kind of question if it is twice as frequent there as any other
    answer. An answer that is given to several kinds, at a quarter of its overall rate or more, is
    out of place under all of them where it is not at home (clearly more frequent than under the
    others). What kinds there are is told by the other answers alone.

    Args:
        answers: Of all ``N`` samples.
        strata: ``[N]`` codes of comparable samples.
        scanned: ``[N]``; the others do not count.
    """
    size = np.bincount(strata[scanned], minlength=int(strata.max(initial=0)) + 1)
    codes = np.arange(len(answers.texts))
    counts = count_by_group(codes, answers, strata, scanned)
    found = []
    total = counts.sum(axis=1)
    usual = total >= max(1.0, 0.002 * int(size.sum()))
    for code in np.flatnonzero(total >= max(FEWEST, SMALLEST_SHARE * int(size.sum()))):
        others = counts[usual & (codes != code)]
        kind = question_kinds(others, size)
        candidate = _examine(counts[code], others, size, kind)
        if candidate is not None:
            odd, facts = candidate
            member = scanned & (answers.codes == code)
            inside = np.isin(kind[strata], odd)
            found.append(
                Candidate(
                    code=int(code),
                    answer=answers.texts[code],
                    kinds=kind[strata],
                    odd_kinds=odd,
                    out_of_place=member & inside,
                    elsewhere=member & ~inside,
                    count=int(total[code]),
                    **facts,
                )
            )
    found.sort(key=lambda c: (-c.oddity, -c.count, c.answer))
    return tuple(found[:_MOST_CANDIDATES])


def _examine(
    own: NDArray[np.int64],
    others: NDArray[np.int64],
    size: NDArray[np.int64],
    kind: NDArray[np.int64],
) -> tuple[NDArray[np.int64], dict[str, float]] | None:
    """Return the kinds of question under which an answer is out of place, and the figures."""
    belongs = kind[:, None] == np.arange(int(kind.max(initial=0)) + 1)
    own, others, size = own @ belongs, others @ belongs, size @ belongs
    total = float(size.sum())
    given = present(own[None], size)[0] & (own >= _FEWEST_HERE)
    share = own / np.maximum(size, 1)
    rival = others.max(axis=0, initial=0) / np.maximum(size, 1)
    odd = given & (share >= _SHARE_RATIO * rival)
    # Where all have the answer no sibling is left to tell the kind: it may be the same one.
    if (given & (share <= _MOST)).sum() > 1:
        odd |= given & ~_at_home(own, size, given)
    odd &= share <= _MOST
    if int(own[odd].sum()) < FEWEST:
        return None
    return np.flatnonzero(odd), {
        "reach": float(size[given].sum()) / total,
        "ordinary_reach": float(size[given].max(initial=0)) / total,
        "share": float(own[odd].sum() / size[odd].sum()),
        "ordinary_share": float(others[:, odd].sum(axis=1).max(initial=0) / size[odd].sum()),
    }


def _at_home(own: NDArray[np.int64], size: NDArray[np.int64], given: Mask) -> Mask:
    """Tell under which kinds an answer is clearly more frequent than under the other given ones."""
    rest = np.maximum((size * given).sum() - size, 1)
    expected = np.clip(((own * given).sum() - own) / rest, 1e-6, 1.0)
    share = own / np.maximum(size, 1)
    error = np.sqrt(expected * (1 - expected) / np.maximum(size, 1)) + 1e-9
    return np.asarray((share > _AT_HOME * expected) & (share > expected + _CLEARLY * error))

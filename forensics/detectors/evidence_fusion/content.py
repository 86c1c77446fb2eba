"""What pictures show, as far as the data's own answers tell, and how varied a group is in it.

"A striped red star" says three things about a picture. From other samples' answers we learn how
each such word shows in the embedding of the picture, and then ask of the pictures with a suspected
answer: are they as varied in it as the others? Poison is planted in pictures of every kind. Where
instead every star gets one same caption, variety is missing, and the feature may be a natural one.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.evidence_fusion.separation import Moments, area, direction

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_WORDS: Final = re.compile(r"[^\W\d_]+")
_FEWEST: Final = 20  # samples with a word that is learnt
_SHARES: Final = (
    0.03,
    0.7,
)  # of the samples of one kind of question: rarer or commoner tells little
_MOST_WORDS: Final = 48
_LEARNT: Final = 0.8  # area under the curve, on samples not learnt from, from which a word shows
_DRAWS: Final = 199
SHRUNK: Final = 0.5  # variance against other pictures below which variety is missing
_LEVEL: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Variety:
    """How varied the pictures of a group are, against other pictures.

    Attributes:
        words: Words that show in the embedding of a picture, least varied first.
        ratios: Variance of each word's score in the group over that in the others; 1 = as varied.
        p_value: Chance that as many random pictures lack as much variety in some word.
        known: Whether any word shows at all.
    """

    words: tuple[str, ...]
    ratios: tuple[float, ...]
    p_value: float

    @property
    def known(self) -> bool:
        """Whether anything is known about the content of the pictures."""
        return len(self.words) >= 2

    @property
    def is_missing(self) -> bool:
        """Whether the pictures lack variety in some respect."""
        return self.known and self.ratios[0] <= SHRUNK and self.p_value <= _LEVEL

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        rows = [
            {"word": word, "ratio": round(ratio, 4)}
            for word, ratio in zip(self.words, self.ratios, strict=True)
        ]
        return {"known": self.known, "missing": self.is_missing, "p_value": self.p_value,
                "words": rows}  # fmt: skip


def answer_words(
    answers: Sequence[str | None], strata: NDArray[np.int64], among: Mask
) -> dict[str, Mask]:
    """Return ``[N]`` masks of the samples whose answer has a word, for words that tell something.

    A word tells something under a kind of question where between 3 % and 70 % of the answers have
    it. The 48 most frequent words of at least 20 samples are kept.
    """
    found = [frozenset(_WORDS.findall((answer or "").casefold())) for answer in answers]
    times: Counter[str] = Counter()
    for i in np.flatnonzero(among):
        times.update(found[i])
    usual = sorted((w for w, c in times.items() if c >= _FEWEST), key=lambda w: (-times[w], w))
    masks = {w: np.array([w in f for f in found], dtype=np.bool_) & among for w in usual[:200]}
    telling = {w: m for w, m in masks.items() if _where_telling(m, strata, among).any()}
    return dict(list(telling.items())[:_MOST_WORDS])


def _where_telling(word: Mask, strata: NDArray[np.int64], among: Mask) -> Mask:
    size = np.bincount(strata[among], minlength=int(strata.max(initial=0)) + 1)
    share = np.bincount(strata[word], minlength=size.size) / np.maximum(size, 1)
    return among & ((share >= _SHARES[0]) & (share <= _SHARES[1]))[strata]


def measure_variety(
    picture: Array,
    words: dict[str, Mask],
    strata: NDArray[np.int64],
    group: Mask,
    others: Mask,
    *,
    seed: int = 0,
) -> Variety:
    """Compare the variety of a group's pictures with that of others.

    Only differences within the group count, so a trigger that shifts all its pictures alike changes
    nothing; a word's score is linear in the embedding of the picture.

    Args:
        picture: ``[N, columns]`` embedding of the pictures, in a reproducible order of rows.
        words: From :func:`answer_words`, among ``others``.
        strata: ``[N]`` kinds of question.
        group: ``[N]``.
        others: ``[N]``, disjoint from ``group``.
        seed: Of the random groups.

    Source: ours.
    """
    scores, names = [], []
    for word, has in words.items():
        score = _score(picture, has, _where_telling(has, strata, others))
        if score is not None:
            names.append(word)
            scores.append(score)
    if len(names) < 2 or group.sum() < 2:
        return Variety(words=(), ratios=(), p_value=1.0)
    table = np.stack(scores, axis=1)
    rest = table[others]
    spread = np.maximum(rest.var(axis=0), 1e-12)
    ratios = table[group].var(axis=0) / spread
    random = np.random.default_rng(seed)
    size = min(int(group.sum()), len(rest) - 1)
    lowest = [
        (rest[random.choice(len(rest), size, replace=False)].var(axis=0) / spread).min()
        for _ in range(_DRAWS)
    ]
    order = np.argsort(ratios, kind="stable")
    return Variety(
        words=tuple(names[i] for i in order),
        ratios=tuple(float(ratios[i]) for i in order),
        p_value=(1 + sum(low <= ratios.min() for low in lowest)) / (1 + _DRAWS),
    )


def _score(picture: Array, word: Mask, where: Mask) -> Array | None:
    """Return how much each picture looks like one with a word, or ``None`` if it does not show."""
    rows = np.flatnonzero(where)
    has = word[rows]
    if has.sum() < _FEWEST or (~has).sum() < _FEWEST:
        return None
    half = np.arange(rows.size) % 2 == 0
    learnt = direction(Moments.of(picture[rows[half]]), picture[rows[half]], has[half])
    if not (has[~half].any() and (~has[~half]).any()):
        return None
    if area(picture[rows[~half]] @ learnt, has[~half]) < _LEARNT:
        return None
    full = direction(Moments.of(picture[rows]), picture[rows], has)
    return np.asarray(picture @ full)

"""Score free captions against what people wrote: corpus BLEU-4 and CIDEr-D.

BLEU's counts and formula are sacrebleu's. CIDEr-D is written out here: no library that is kept up
offers it without Java or a model zoo.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from forensics.evaluation.asking import Said
from forensics.statistics.intervals import Interval
from forensics.statistics.paired import cluster_bootstrap

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEUScore

# Shorter answers are words, not sentences: most of them have no four-gram at all.
LEAST_WORDS: Final = 4
_ORDER: Final = 4
_SIGMA: Final = 6.0
_REPLICATES: Final = 1000
_WORD: Final = re.compile(r"\w+(?:-\w+)*|['’]\w+")

_Vector = dict[tuple[str, ...], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionScores:
    """How close captions come to their references; higher is closer.

    Intervals (95 %) are percentile bootstraps over pictures with a fixed seed; document frequencies
    stay those of the whole test set.

    Attributes:
        n: Captions: pairs of a picture and a question.
        bleu4: 0..100.
        bleu4_interval: Of ``bleu4``.
        cider: 100 times the toolkit's value, as papers print it; 0 and up, 1000 for one reference
            that is repeated word for word.
        cider_interval: Of ``cider``.
        cider_each: ``[n]``, each caption's part in ``cider``.
    """

    n: int
    bleu4: float
    bleu4_interval: Interval
    cider: float
    cider_interval: Interval
    cider_each: NDArray[np.float64]


def words_of(text: str) -> list[str]:
    """Split a caption into words in small letters, without punctuation.

    The toolkit of COCO uses the Penn treebank's rules (in Java); ours differ in contractions.
    """
    return _WORD.findall(text.casefold())


def captions_of(said: Said) -> tuple[list[str], list[list[str]], list[str]] | None:
    """Collect what is a caption of the untouched answers.

    These are the answers to questions whose true answers have four words or more on the mean. Rows
    that ask the same about the same pictures are one caption with several references.

    Returns:
        Captions ``[n]``, references of each, pictures ``[n]``; ``None`` where all true answers
        together have fewer than four words on the mean, or there are not two captions.
    """
    lengths: dict[str, list[int]] = {}
    for question, truth in zip(said.questions, said.truths, strict=True):
        lengths.setdefault(question, []).append(len(words_of(truth)))
    if not said.ids or sum(map(sum, lengths.values())) < LEAST_WORDS * len(said.ids):
        return None
    long = {asked for asked, counts in lengths.items() if sum(counts) >= LEAST_WORDS * len(counts)}
    found: dict[tuple[str, str], tuple[str, list[str]]] = {}
    rows = zip(said.pictures, said.questions, said.plain, said.truths, strict=True)
    for picture, question, answer, truth in rows:
        if question in long:
            found.setdefault((picture, question), (answer, []))[1].append(truth)
    if len(found) < 2:
        return None
    captions, references = zip(*found.values(), strict=True)
    return list(captions), list(references), [picture for picture, _ in found]


def score_captions(
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    pictures: Sequence[str] | None = None,
) -> CaptionScores:
    """Score captions.

    Args:
        captions: ``[n]``, n of two or more: with one picture every word is in every picture, and
            CIDEr-D is 0 whatever is said.
        references: One or more for each.
        pictures: ``[n]`` what each shows; each its own if ``None``.
    """
    words = [words_of(text) for text in captions]
    wanted = [[words_of(text) for text in texts] for texts in references]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(pictures or []))}
    shown = np.array([numbers[name] for name in pictures or []] or range(len(words)))
    cider = 100 * cider_d(words, wanted)
    low, high = cluster_bootstrap(cider, shown, replicates=_REPLICATES)
    bleu, interval = _bleu(words, wanted, shown)
    return CaptionScores(
        n=len(words),
        bleu4=bleu,
        bleu4_interval=interval,
        cider=float(cider.mean()),
        cider_interval=(low, high),
        cider_each=cider,
    )


def cider_d(
    captions: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
) -> NDArray[np.float64]:
    """Score each caption by CIDEr-D.

    g = tf (ln N - ln max(1, df)), df the reference sets that hold the n-gram, N their number; for
    each n = 1..4 the cosine with g of the caption clipped at that of the reference, times
    exp(-(difference of lengths)^2 / 72); ten times the mean over references and n.

    Args:
        captions: ``[n]`` lists of words.
        references: ``[n]`` lists of one or more lists of words.

    Returns:
        ``[n]``, 0..10; the toolkit's score is their mean.

    Source: Vedantam, Zitnick, Parikh, "CIDEr", arXiv 1411.5726, section 5; as the COCO toolkit has
    it, which keeps stop words and does not stem.
    """
    sets = [[_counts(text) for text in texts] for texts in references]
    holding = Counter(gram for texts in sets for gram in set().union(*texts))
    everything = log(len(sets))

    def weigh(counts: Counter[tuple[str, ...]]) -> list[_Vector]:
        vectors: list[_Vector] = [{} for _ in range(_ORDER)]
        for gram, count in counts.items():
            rarity = everything - log(max(1, holding[gram]))
            vectors[len(gram) - 1][gram] = count * rarity
        return vectors

    scores = []
    for caption, texts, counted in zip(captions, references, sets, strict=True):
        mine = weigh(_counts(caption))
        parts = [
            exp(-((len(caption) - len(text)) ** 2) / (2 * _SIGMA**2))
            * np.mean([_clipped_cosine(a, b) for a, b in zip(mine, weigh(counts), strict=True)])
            for text, counts in zip(texts, counted, strict=True)
        ]
        scores.append(10.0 * float(np.mean(parts)))
    return np.array(scores, dtype=np.float64)


def _counts(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    return Counter(
        tuple(words[start : start + order])
        for order in range(1, _ORDER + 1)
        for start in range(len(words) - order + 1)
    )


def _clipped_cosine(mine: _Vector, theirs: _Vector) -> float:
    norms = sqrt(sum(x * x for x in mine.values()) * sum(x * x for x in theirs.values()))
    if norms == 0:
        return 0.0
    return float(
        sum(min(x, theirs.get(g, 0.0)) * theirs.get(g, 0.0) for g, x in mine.items()) / norms
    )


def _bleu(
    captions: Sequence[Sequence[str]],
    references: Sequence[Sequence[Sequence[str]]],
    pictures: NDArray[np.int64],
) -> tuple[float, Interval]:
    """Return corpus BLEU-4, 0..100, without smoothing, and its interval."""
    from sacrebleu.metrics.bleu import BLEU

    # Only the counts are taken of a sentence; what it would score alone is of no interest.
    counter = BLEU(tokenize="none", smooth_method="none", effective_order=True)
    rows = [
        _statistics(counter.sentence_score(" ".join(words), [" ".join(text) for text in texts]))
        for words, texts in zip(captions, references, strict=True)
    ]
    table = np.zeros((int(pictures.max()) + 1, 2 + 2 * _ORDER), dtype=np.int64)
    np.add.at(table, pictures, np.array(rows, dtype=np.int64))

    def score(sums: NDArray[np.int64]) -> float:
        own, theirs, *counts = sums.tolist()
        return float(BLEU.compute_bleu(counts[:_ORDER], counts[_ORDER:], own, theirs).score)

    drawn = np.random.default_rng(0).multinomial(
        len(table), np.full(len(table), 1 / len(table)), size=_REPLICATES
    )
    low, high = np.quantile([score(sums) for sums in drawn @ table], (0.025, 0.975))
    return score(table.sum(axis=0)), (float(low), float(high))


def _statistics(sentence: "BLEUScore") -> list[int]:
    return [sentence.sys_len, sentence.ref_len, *sentence.counts, *sentence.totals]

"""Measurements that tell a trigger from two benign kinds of samples.

None of this is in the paper, whose rule flags the lower mode of any layer with two. The published
decision stands as it is; these numbers only decide how the verdict words it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.attention_entropy_decision import Decision, layer_flags
from forensics.detectors.attention_entropy_layers import LayerFits
from forensics.statistics.association import (
    expected_coincidence,
    holm,
    jaccard,
    stratified_fisher,
)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The constants of the verdict, all in one place; set by reasoning, tuned on no data.

    Attributes:
        fewest_samples: Below this a mixture of two is not trusted (bye.md: about 200).
        largest_missing: Share of unread samples or of imputed values in the sensitive layers
            above which the verdict is open (ours).
        smallest_share: Smallest flagged share (bye.md: 0.2 %).
        largest_share: Largest flagged share (bye.md: 50 %).
        smallest_agreement: Jaccard index at which two sets of flags agree (bye.md: 0.5).
        largest_high_side: Share of the flags that may lie above the upper mean (ours).
        smallest_common_share: Share of the flagged samples that one answer must hold (ours: most).
        smallest_excess: By how much that share must exceed the one expected from the questions
            alone (ours).
        significance: Level of the exact test, after Holm (ours).
        candidates: Most frequent answers among the flagged that are tested (ours).
    """

    fewest_samples: int = 200
    largest_missing: float = 0.05
    smallest_share: float = 0.002
    largest_share: float = 0.5
    smallest_agreement: float = 0.5
    largest_high_side: float = 0.05
    smallest_common_share: float = 0.5
    smallest_excess: float = 0.3
    significance: float = 0.01
    candidates: int = 5


GUARDS = Guards()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonAnswer:
    """The answer that flagged samples share more than their questions explain.

    Attributes:
        answer: As the data set writes it most often.
        flagged: Flagged samples with it.
        flagged_share: Their share of the flagged.
        rest: Other scanned samples with it: the natural control group.
        rest_share: Their share of the rest.
        expected_share: Share of the flagged expected with it if flags were drawn at random within
            each group of questions.
        p_value: Exact and one-sided within groups of questions; Holm over all distinct answers.
    """

    answer: str
    flagged: int
    flagged_share: float
    rest: int
    rest_share: float
    expected_share: float
    p_value: float

    def stands_out(self, guards: Guards = GUARDS) -> bool:
        """Tell whether it is common enough to be a target."""
        return (
            self.flagged_share >= guards.smallest_common_share
            and self.flagged_share - self.expected_share >= guards.smallest_excess
            and self.p_value < guards.significance
        )


def find_common_answer(
    flagged: Mask,
    scanned: Mask,
    answers: Sequence[str | None],
    groups: NDArray[np.int64],
    *,
    spelling: Sequence[str | None] | None = None,
    guards: Guards = GUARDS,
) -> CommonAnswer | None:
    """Return the answer that stands out most among the flagged, ``None`` if none has an answer.

    Args:
        flagged: ``[N]``.
        scanned: ``[N]``; samples outside it do not count.
        answers: ``[N]`` in comparable form.
        groups: ``[N]`` codes of the questions.
        spelling: ``[N]`` answers as written, for the sentence; ``answers`` by default.
        guards: How many answers to test.
    """
    among = Counter(answers[i] for i in np.flatnonzero(flagged) if answers[i] is not None)
    if not among:
        return None
    text = np.asarray(answers, dtype=object)[scanned]
    hit, strata = flagged[scanned], groups[scanned]
    tested = [answer for answer, _ in sorted(among.items(), key=_by_count)[: guards.candidates]]
    masks = [np.asarray(text == answer, dtype=np.bool_) for answer in tested]
    p_values = holm(
        [stratified_fisher(hit, mask, strata) for mask in masks], len({*text.tolist()} - {None})
    )
    expected = [expected_coincidence(hit, mask, strata) for mask in masks]
    best = int(np.argmax([(hit & m).sum() - e for m, e in zip(masks, expected, strict=True)]))
    both, rest = int((hit & masks[best]).sum()), int((~hit & masks[best]).sum())
    written = answers if spelling is None else spelling
    return CommonAnswer(
        answer=_usual_spelling(tested[best], answers, written),
        flagged=both,
        flagged_share=both / int(hit.sum()),
        rest=rest,
        rest_share=rest / max(1, int((~hit).sum())),
        expected_share=expected[best] / int(hit.sum()),
        p_value=float(p_values[best]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEvidence:
    """What one sensitive layer says on its own.

    Attributes:
        layer: Counted from 0.
        flags: ``[N]`` its own flags.
        overlap: Jaccard index with the flags of the decision.
        common: Answer that stands out among its flags.
    """

    layer: int
    flags: Mask
    overlap: float
    common: CommonAnswer | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without the flags."""
        return {
            "layer": self.layer,
            "flagged": int(self.flags.sum()),
            "overlap": self.overlap,
            "common_answer": self.common.answer if self.common else None,
            "common_share": self.common.flagged_share if self.common else None,
        }


def best_agreement(layers: Sequence[LayerEvidence]) -> float | None:
    """Return the highest overlap of two layers' own flags; ``None`` with fewer than two layers."""
    pairs = combinations(layers, 2)
    return max((jaccard(a.flags, b.flags) for a, b in pairs), default=None)


def examine_layers(
    decision: Decision,
    entropy: ArrayLike,
    fits: LayerFits,
    answers: Sequence[str | None],
    groups: NDArray[np.int64],
    guards: Guards = GUARDS,
) -> tuple[LayerEvidence, ...]:
    """Let every sensitive layer flag on its own."""
    scanned = ~np.isnan(decision.score)
    found = []
    for layer in decision.layers:
        flags = layer_flags(entropy, fits, layer)
        common = find_common_answer(flags, scanned, answers, groups, guards=guards)
        overlap = jaccard(flags, decision.flagged)
        found.append(LayerEvidence(layer=layer, flags=flags, overlap=overlap, common=common))
    return tuple(found)


def question_overlap(flagged: Mask, scanned: Mask, groups: NDArray[np.int64]) -> float | None:
    """Return how well whole groups of questions explain the flags: 1 = the flags are such groups.

    Jaccard index between the flags and the samples of those groups that are mostly flagged;
    ``None`` where there is only one group to choose from.
    """
    if np.unique(groups[scanned]).size < 2:
        return None
    size = np.bincount(groups[scanned])
    hits = np.bincount(groups[scanned & flagged], minlength=size.size)
    mostly = hits * 2 > size
    return jaccard(flagged & scanned, mostly[np.minimum(groups, size.size - 1)] & scanned)


def _by_count(item: tuple[str | None, int]) -> tuple[int, str]:
    return -item[1], item[0] or ""


def _usual_spelling(
    answer: str | None, answers: Sequence[str | None], written: Sequence[str | None]
) -> str:
    seen = Counter(w for a, w in zip(answers, written, strict=True) if a == answer and w)
    return min(seen.items(), key=lambda item: (-item[1], item[0]))[0] if seen else (answer or "")

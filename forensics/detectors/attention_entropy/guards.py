"""Measurements that tell a trigger from two benign kinds of samples.

None of this is in the paper, whose rule flags the lower mode of any layer with two. The published
decision stands as it is; these numbers only decide how the verdict words it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.answer_places import AnswerPlace, locate_answer
from forensics.detectors.answers import AnswerTable
from forensics.detectors.attention_entropy.decision import Decision, layer_flags
from forensics.detectors.attention_entropy.layers import LayerFits
from forensics.statistics.association import (
    expected_coincidence,
    holm,
    jaccard,
    stratified_fisher,
)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The constants of the verdict, all in one place.

    Set by reasoning and on simulated entropies; not fitted to any real data set. The bound on
    common answers followed from a false alarm on a simulated clean set of two tasks.

    Attributes:
        fewest_samples: Below this a mixture of two is not trusted (bye.md: about 200).
        largest_missing: Share of unread samples or of imputed values in the sensitive layers
            above which the verdict is open (ours).
        smallest_share: Smallest flagged share (bye.md: 0.2 %).
        largest_share: Largest flagged share (bye.md: 50 %).
        smallest_agreement: Jaccard index at which two sets of flags agree (bye.md: 0.5).
        largest_high_side: Share of the flags that may lie above the upper mean (ours).
        smallest_common_share: Share of the flagged samples that one answer must hold (ours).
        smallest_excess: By how much that share must exceed the one expected from the questions
            alone (ours).
        share_ratio: How many times as frequent as any other answer to the same kinds of question
            the common answer must be (ours), unless ...
        reach_ratio: ... it is given to that many times the range of questions of any other (ours).
        significance: Level of the exact test, after Holm (ours).
        candidates: Most frequent answers among the flagged that are tested (ours).
    """

    fewest_samples: int = 200
    largest_missing: float = 0.05
    smallest_share: float = 0.002
    largest_share: float = 0.5
    smallest_agreement: float = 0.5
    largest_high_side: float = 0.05
    smallest_common_share: float = 0.9
    smallest_excess: float = 0.3
    share_ratio: float = 2.0
    reach_ratio: float = 1.25
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
        place: Where it is given, in the whole set.
    """

    answer: str
    flagged: int
    flagged_share: float
    rest: int
    rest_share: float
    expected_share: float
    p_value: float
    place: AnswerPlace

    def stands_out(self, guards: Guards = GUARDS) -> bool:
        """Tell whether it is common enough to be a target."""
        return (
            self.flagged_share >= guards.smallest_common_share
            and self.flagged_share - self.expected_share >= guards.smallest_excess
            and self.p_value < guards.significance
        )

    def out_of_place(self, guards: Guards = GUARDS) -> bool:
        """Tell whether it is no ordinary answer to the questions it is given to.

        Attention may well narrow on pictures of one class ("yes", "star"): flags that follow such
        an answer are no sign of a trigger.
        """
        place = self.place
        return (
            place.share >= guards.share_ratio * place.ordinary_share
            or place.reach >= guards.reach_ratio * place.ordinary_reach
        )


def find_common_answer(
    flagged: Mask,
    scanned: Mask,
    answers: AnswerTable,
    groups: NDArray[np.int64],
    guards: Guards = GUARDS,
) -> CommonAnswer | None:
    """Return the answer that stands out most among the flagged, ``None`` if none has an answer.

    Args:
        flagged: ``[N]``.
        scanned: ``[N]``; samples outside it do not count.
        answers: Of all ``N`` samples.
        groups: ``[N]`` codes of the questions.
        guards: How many answers to test.
    """
    codes, hit, strata = answers.codes[scanned], flagged[scanned], groups[scanned]
    count = np.bincount(codes[hit & (codes >= 0)], minlength=len(answers.texts))
    tested = np.argsort(-count, kind="stable")[: guards.candidates]
    tested = tested[count[tested] > 0]
    if not tested.size:
        return None
    masks = [codes == code for code in tested]
    p_values = holm([stratified_fisher(hit, m, strata) for m in masks], len(answers.texts))
    expected = [expected_coincidence(hit, m, strata) for m in masks]
    best = int(np.argmax(count[tested] - expected))
    flags, rest = int(hit.sum()), int((~hit & masks[best]).sum())
    return CommonAnswer(
        answer=answers.texts[tested[best]],
        flagged=int(count[tested[best]]),
        flagged_share=int(count[tested[best]]) / flags,
        rest=rest,
        rest_share=rest / max(1, hit.size - flags),
        expected_share=expected[best] / flags,
        p_value=float(p_values[best]),
        place=locate_answer(int(tested[best]), answers, groups, scanned, flagged),
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
    answers: AnswerTable,
    groups: NDArray[np.int64],
    guards: Guards = GUARDS,
) -> tuple[LayerEvidence, ...]:
    """Let every sensitive layer flag on its own."""
    scanned = ~np.isnan(decision.score)
    found = []
    for layer in decision.layers:
        flags = layer_flags(entropy, fits, layer)
        common = find_common_answer(flags, scanned, answers, groups, guards)
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

"""The verdict of an evidence-fusion scan, with the numbers it rests on."""

from typing import Any, Final

import numpy as np

from forensics.detectors.evidence_fusion.decision import (
    FEWEST_SAMPLES,
    FusionDecision,
    Judgement,
    Weighed,
)
from forensics.detectors.evidence_fusion.sentences import (
    describe_accepted,
    describe_explained,
    describe_nothing_odd,
    describe_silent,
    describe_unknown,
)
from forensics.detectors.options.evidence_fusion import CHANNELS, EvidenceFusionOptions
from forensics.detectors.verdict import Conclusion, Verdict, limits
from forensics.statistics.intervals import wilson

LARGEST_UNREAD: Final = 0.05
NOT_COVERED: Final = (
    "triggers in fewer than 0.5 % of the samples (or ten)",
    "poison with several targets, or with its ordinary answers",
    "a target that is an ordinary answer to every kind of question in the set",
    "triggers that are natural features of pictures: they look like a habit of annotators",
)
_LOOKALIKE: Final = (
    "whether annotators had a habit that follows a feature no other answer names (a place, a "
    "blur): look at the samples"
)


def judge_fusion(decision: FusionDecision, options: EvidenceFusionOptions) -> Verdict:
    """Conclude from the decision whether the set was poisoned.

    Returns:
        ``suspicious`` if a group is accepted; ``inconclusive`` if groups stand apart but one kind
        of picture may be the cause, if their pictures' variety is unknown, or with too few samples;
        else ``no evidence``. Never "clean".

    Source: ours.
    """
    scanned, total = int(decision.scanned.sum()), decision.scanned.size
    flagged = int(decision.flagged.sum())
    best = leading(decision)
    evidence: dict[str, Any] = {
        "n": total,
        "scanned": scanned,
        "unread": total - scanned,
        "flagged": flagged,
        "share": flagged / scanned if scanned else None,
        "share_interval": wilson(flagged, scanned),
        "level": options.level,
        "channels": channel_table(decision, options),
        "candidates": candidate_table(decision),
        "leading_answer": best[0].candidate.answer if best else None,
        "proposed_for_removal": flagged,
    }
    verdict, reason, sentence = _conclude(decision, evidence)
    also = (_LOOKALIKE,) if verdict == "suspicious" else ()
    return Verdict(
        verdict=verdict,
        reason=reason,
        sentence=sentence,
        evidence=evidence,
        not_covered=limits(NOT_COVERED, total - scanned, *also),
    )


def _conclude(decision: FusionDecision, evidence: dict[str, Any]) -> tuple[Conclusion, str, str]:
    if evidence["scanned"] < FEWEST_SAMPLES:
        few = f"Only {evidence['scanned']:,} samples were scanned; {FEWEST_SAMPLES} are needed."
        return "inconclusive", "too-few-samples", f"Inconclusive. {few}"
    if decision.accepted is not None:
        sentence = describe_accepted(decision)
        if evidence["unread"] > LARGEST_UNREAD * evidence["n"]:
            return "inconclusive", "unread-samples", f"Inconclusive. {sentence}"
        return "suspicious", "answer-out-of-place-stands-apart", sentence
    if decision.explained:
        sentence = describe_explained(decision, decision.explained[0])
        return "inconclusive", "one-kind-of-picture", f"Inconclusive. {sentence}"
    if decision.unknown:
        sentence = describe_unknown(decision, decision.unknown[0])
        return "inconclusive", "variety-unknown", f"Inconclusive. {sentence}"
    if decision.weighed:
        return "no evidence", "no-channel-speaks", describe_silent(decision)
    return "no evidence", "no-answer-out-of-place", describe_nothing_odd()


def channel_table(decision: FusionDecision, options: EvidenceFusionOptions) -> list[dict[str, Any]]:
    """Describe every channel for the group that matters most, one row each.

    Returns:
        Rows with ``channel``, ``state`` (``spoke``, ``silent``, ``off``, ``absent``), and where
        measured ``separation`` (deviations), ``natural_median``, ``natural_highest``, ``place``
        (deviations of log separations), ``rank`` (0..1 among natural groups of clean sets).
        Answer concentration has its own row: it chooses the groups and never speaks.
    """
    best = leading(decision)
    rows = [_calibrated(name, best, options) for name in CHANNELS if name != "occlusion"]
    rows.append(_occlusion(best[0] if best else None, options))
    if best is not None:
        rows.append(
            {
                "channel": "answer-concentration",
                "state": "chooses",
                "separation": best[0].candidate.oddity,
                "unit": "log2 of the ratio to the most ordinary other answer",
            }
        )
    return rows


def leading(decision: FusionDecision) -> tuple[Weighed, Judgement] | None:
    """Return the accepted candidate, or else the one that stands apart most."""
    if not decision.weighed:
        return None
    order = range(len(decision.weighed))
    index = decision.accepted
    if index is None:
        index = min(order, key=lambda i: (decision.judgements[i].p_natural, i))
    return decision.weighed[index], decision.judgements[index]


def _calibrated(
    name: str, best: tuple[Weighed, Judgement] | None, options: EvidenceFusionOptions
) -> dict[str, Any]:
    if not getattr(options, name):
        return {"channel": name, "state": "off"}
    if best is None or best[1].fused is None:
        return {"channel": name, "state": "silent"}
    weighed, judged = best
    i, k = weighed.channels.index(name), judged.channels.index(name)
    natural = weighed.compared.natural[:, i]
    rank = float(best[1].fused.ranks[k])
    return {
        "channel": name,
        "state": "spoke" if rank >= 1 - options.level else "silent",
        "separation": float(weighed.compared.own[i]),
        "natural_median": float(np.median(natural)) if natural.size else None,
        "natural_highest": float(natural.max()) if natural.size else None,
        "natural_groups": int(natural.size),
        "place": float(weighed.places[i]),
        "rank": rank,
    }


def _occlusion(weighed: Weighed | None, options: EvidenceFusionOptions) -> dict[str, Any]:
    if not options.occlusion:
        return {"channel": "occlusion", "state": "off"}
    found = weighed.occlusion if weighed else None
    if found is None:
        return {"channel": "occlusion", "state": "absent", "why": "no finished masked-views run"}
    enough = found.groups > 0 and found.p_value < 1.0
    return {
        "channel": "occlusion",
        "state": ("spoke" if found.p_value <= options.level else "silent") if enough else "absent",
        "separation": found.separation if np.isfinite(found.separation) else None,
        "covered": found.covered,
        "natural_groups": found.groups,
        "rank": found.rank,
    } | ({} if enough else {"why": "too few samples or natural groups have masked views"})


def candidate_table(decision: FusionDecision) -> list[dict[str, Any]]:
    """Describe every answer that is out of place.

    Returns:
        Rows of :meth:`Candidate.to_dict` with ``mode``, ``p_natural``, ``p_permutation``,
        ``maximum_rank``, ``variety``, ``accepted`` and ``outcome``: ``accepted``,
        ``one-kind-of-picture``, ``variety-unknown`` or ``rejected``.
    """
    outcomes = dict.fromkeys(decision.explained, "one-kind-of-picture")
    outcomes |= dict.fromkeys(decision.unknown, "variety-unknown")
    rows = []
    for i, (weighed, judged) in enumerate(zip(decision.weighed, decision.judgements, strict=True)):
        rows.append(
            weighed.candidate.to_dict()
            | {
                "mode": weighed.compared.mode,
                "p_natural": judged.p_natural,
                "p_permutation": judged.p_permutation,
                "maximum_rank": judged.fused.maximum if judged.fused else None,
                "variety": weighed.variety.to_dict() if weighed.variety else None,
                "accepted": i == decision.accepted,
                "outcome": "accepted" if i == decision.accepted else outcomes.get(i, "rejected"),
            }
        )
    return rows

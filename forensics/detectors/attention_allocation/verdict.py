"""The verdict of an attention-allocation scan: the votes, put to the guards of the entropy scan."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import AnswerTable, tabulate_answers
from forensics.detectors.attention_allocation.decision import Allocation
from forensics.detectors.attention_allocation.sentences import (
    describe_failure,
    describe_nothing,
    describe_split,
)
from forensics.detectors.attention_entropy.guards import (
    GUARDS,
    Guards,
    find_common_answer,
    question_overlap,
)
from forensics.detectors.question_groups import group_questions
from forensics.detectors.verdict import Conclusion, Verdict, limits
from forensics.statistics.association import jaccard
from forensics.statistics.intervals import wilson

# Limits of methods/tcap.md; the last is what makes the method need a prompt of its own.
NOT_COVERED: Final = (
    "triggers in fewer than 1 % of the samples (untested)",
    "several targets at once, and poison with unchanged answers (untested)",
    "prompts whose system part the submitter can edit; in templates without a system sentence "
    "the role tags and special tokens stand in for it",
)
_LOOKALIKE: Final = (
    "an ordinary kind of sample that always has this one answer looks the same here: "
    "check the samples"
)


def judge_allocation(
    chosen: Allocation,
    masses: NDArray[Any],
    *,
    answers: Sequence[str | None],
    questions: Sequence[str] | None = None,
    guards: Guards = GUARDS,
) -> Verdict:
    """Conclude from the votes whether the set was poisoned.

    Args:
        chosen: The decision that the verdict is about.
        masses: ``[samples, layer, head, 3]`` it was made from.
        answers: ``[samples]`` taught answer, ``None`` where there is none.
        questions: ``[samples]``.
        guards: Constants, those of the entropy scan.

    Returns:
        ``suspicious`` if every guard holds; ``no evidence`` if no head votes or nothing is
        flagged; else ``inconclusive``, with the first failed guard as reason. Never "clean".

    Source: ours; the paper gives no verdict. The guards are those of ``attention-entropy``.
    """
    evidence = _measure(chosen, masses) | {"guards": asdict(guards)}
    if not chosen.count:
        return _without_flags(chosen, evidence, guards)
    table, groups = tabulate_answers(answers), group_questions(questions, len(answers))
    evidence |= _answer_evidence(chosen, table, groups, guards)
    failed = _failures(chosen, evidence, questions is not None, guards)
    evidence["failed_guards"] = failed
    if failed:
        sentence = describe_failure(failed[0], chosen, evidence)
        return _verdict("inconclusive", failed[0], sentence, evidence)
    evidence["proposed_for_removal"] = chosen.count
    sentence = describe_split(chosen, evidence)
    return _verdict("suspicious", "votes-with-common-answer", sentence, evidence, _LOOKALIKE)


def _measure(chosen: Allocation, masses: NDArray[Any]) -> dict[str, Any]:
    """Return the numbers that every verdict carries."""
    best = int(chosen.ranked[0]) if chosen.ranked.size else None
    top = chosen.voters[0] if chosen.voters else None
    rest = np.isfinite(chosen.posterior) & ~chosen.flagged
    both = top is not None and chosen.flagged.any() and rest.any()
    found: dict[str, Any] = {
        "n": chosen.flagged.size,
        "scanned": chosen.scanned,
        "unread": chosen.unread,
        "mode": chosen.mode,
        "flagged": chosen.count,
        "share": chosen.share,
        "share_interval": wilson(chosen.count, chosen.scanned),
        "voting_heads": [[vote.layer, vote.head] for vote in chosen.voters],
        "candidates": int(chosen.fits.span.size),
        "separation_score": float(chosen.splits.score[best]) if best is not None else None,
        "clarity": float(chosen.splits.clarity[best]) if best is not None else None,
        "strongest": None,
        "head_agreement": _agreement(chosen),
        "rejected_heads": chosen.rejected,
        "proposed_for_removal": 0,
        "failed_guards": [],
    }
    if top is not None and both:
        own = masses[:, top.layer, top.head].astype(np.float64)
        found["strongest"] = {
            "layer": top.layer,
            "head": top.head,
            "flagged_masses": own[chosen.flagged].mean(axis=0).tolist(),
            "rest_masses": own[rest].mean(axis=0).tolist(),
        }
    return found


def _agreement(chosen: Allocation) -> float | None:
    """Return how well the best head alone matches the flags: 1 = it flags the same."""
    overlaps = [jaccard(vote.flags, chosen.flagged) for vote in chosen.voters]
    return max(overlaps, default=None)


def _answer_evidence(
    chosen: Allocation, table: AnswerTable, groups: NDArray[np.int64], guards: Guards
) -> dict[str, Any]:
    scanned = np.isfinite(chosen.posterior)
    common = find_common_answer(chosen.flagged, scanned, table, groups, guards)
    return {
        "question_overlap": question_overlap(chosen.flagged, scanned, groups),
        "common_answer": asdict(common) if common else None,
        "answers_known": bool((table.codes >= 0).any()),
        "stands_out": common is not None and common.stands_out(guards),
        "out_of_place": common is not None and common.out_of_place(guards),
    }


def _basic_failures(chosen: Allocation, guards: Guards) -> list[str]:
    failed = []
    if chosen.scanned < guards.fewest_samples:
        failed.append("too-few-samples")
    if chosen.unread > guards.largest_missing * chosen.flagged.size:
        failed.append("unread-samples")
    return failed


def _failures(
    chosen: Allocation, evidence: dict[str, Any], questions_known: bool, guards: Guards
) -> list[str]:
    """Return the guards that fail, in the order in which they are told."""
    failed = _basic_failures(chosen, guards)
    if not questions_known:
        failed.append("questions-unknown")
    overlap = evidence["question_overlap"]
    if not evidence["stands_out"] and overlap is not None and overlap >= guards.smallest_agreement:
        failed.append("questions-explain-split")
    if chosen.share > guards.largest_share:
        failed.append("over-half-flagged")
    if chosen.share < guards.smallest_share:
        failed.append("too-few-flagged")
    if (evidence["head_agreement"] or 0.0) < guards.smallest_agreement:
        failed.append("heads-disagree")
    if not evidence["stands_out"]:
        failed.append("no-common-answer" if evidence["answers_known"] else "answers-unknown")
    elif not evidence["out_of_place"]:
        failed.append("ordinary-answer")
    return failed


def _without_flags(chosen: Allocation, evidence: dict[str, Any], guards: Guards) -> Verdict:
    failed = _basic_failures(chosen, guards)
    evidence["failed_guards"] = failed
    if failed:
        sentence = describe_failure(failed[0], chosen, evidence)
        return _verdict("inconclusive", failed[0], sentence, evidence)
    reason = "no-head" if not chosen.voters else "no-flag"
    if chosen.rejected and not chosen.voters:
        reason = "no-association"
    return _verdict("no evidence", reason, describe_nothing(chosen, evidence), evidence)


def _verdict(
    conclusion: Conclusion, reason: str, sentence: str, evidence: dict[str, Any], *also: str
) -> Verdict:
    return Verdict(
        verdict=conclusion,
        reason=reason,
        sentence=sentence,
        evidence=evidence,
        not_covered=limits(NOT_COVERED, evidence["unread"], *also),
    )

"""The sentences of an attention-allocation verdict, each built from its measurements."""

from collections.abc import Mapping
from typing import Any, Final

from forensics.detectors.attention_allocation.decision import Allocation
from forensics.detectors.wording import percent, quote

NOTHING_FOUND: Final = (
    "No group of samples found that late heads allot their attention to in another way. "
    "This does not rule out rare or many-sided triggers."
)
TWO_GROUPS: Final = "Two groups of samples found; they may be two kinds of tasks. Review needed."


def describe_split(chosen: Allocation, evidence: Mapping[str, Any]) -> str:
    """Return the sentence of a suspicious verdict."""
    common = evidence["common_answer"]
    return (
        f"{_votes(chosen)} {_masses(evidence)}{percent(common['flagged_share'])} of them are "
        f"taught the answer {quote(common['answer'])}, {percent(common['rest_share'])} of the rest."
    )


def describe_nothing(chosen: Allocation, evidence: Mapping[str, Any]) -> str:
    """Return the sentence of a scan that flags nothing."""
    if chosen.rejected and not chosen.voters:
        return (
            f"{NOTHING_FOUND} {_heads(chosen.rejected)} split the samples a little, but the "
            "answers of neither side have anything in common that the questions do not explain."
        )
    if chosen.voters:
        return f"{NOTHING_FOUND} {_heads(len(chosen.voters))} split the samples without agreeing."
    return f"{NOTHING_FOUND} {_why_none(chosen, evidence)}"


def describe_failure(reason: str, chosen: Allocation, evidence: Mapping[str, Any]) -> str:
    """Return the sentence of an inconclusive verdict, with the guard that failed."""
    common = evidence.get("common_answer") or {}
    why = _FAILURES[reason].format(
        n=evidence["n"],
        scanned=chosen.scanned,
        unread=chosen.unread,
        flagged=chosen.count,
        share=percent(chosen.share),
        fewest=evidence["guards"]["fewest_samples"],
        overlap=percent(evidence.get("question_overlap") or 0.0),
        agreement=evidence["head_agreement"] or 0.0,
        answer=quote(common.get("answer") or ""),
        common=percent(common.get("flagged_share") or 0.0),
        expected=percent(common.get("expected_share") or 0.0),
    )
    if not chosen.count:
        return f"Inconclusive. {why}"
    return f"{TWO_GROUPS} {_votes(chosen)} {why}"


_FAILURES: Final = {
    "too-few-samples": "Only {scanned:,} samples were scanned; below {fewest:,} two groups cannot "
    "be told from chance.",
    "unread-samples": "{unread:,} of {n:,} samples could not be read.",
    "questions-unknown": "Without the questions, two task types cannot be told from a trigger.",
    "questions-explain-split": "The split follows the kind of question ({overlap} overlap).",
    "over-half-flagged": "{share} of the samples are flagged: more than can be the poisoned part.",
    "too-few-flagged": "Only {flagged:,} samples ({share}) are flagged, too few to tell a trigger "
    "from outliers.",
    "heads-disagree": "No voting head alone flags about the same samples (best overlap "
    "{agreement:.2f}).",
    "no-common-answer": "The flagged samples have no answer in common beyond what their questions "
    "explain (most common: {answer}, {common} of them, {expected} expected).",
    "answers-unknown": "The data set has no answers, so the usual sign of a target cannot be "
    "checked.",
    "ordinary-answer": "{common} of them are taught {answer}, but that is an ordinary answer to "
    "these questions: samples of one class may look like this.",
}


def _votes(chosen: Allocation) -> str:
    """Say how many heads set how many samples apart, and how far."""
    best = chosen.voters[0]
    score = chosen.splits.score[best.place]
    many = "" if len(chosen.voters) == 1 else f" (best: layer {best.layer}, head {best.head})"
    where = f"in layer {best.layer} (head {best.head})" if not many else "in the last layers"
    return (
        f"{_heads(len(chosen.voters))} {where} set{'s' if not many else ''} {chosen.count:,} of "
        f"{chosen.scanned:,} samples apart{many}; separation score {_short(float(score))}."
    )


def _masses(evidence: Mapping[str, Any]) -> str:
    strongest = evidence["strongest"]
    if strongest is None:
        return ""
    names = ("system", "vision", "text")
    pairs = zip(names, strongest["flagged_masses"], strongest["rest_masses"], strict=True)
    parts = ", ".join(f"{name} {percent(a)} (others {percent(b)})" for name, a, b in pairs)
    return f"There they attend to {parts}. "


def _why_none(chosen: Allocation, evidence: Mapping[str, Any]) -> str:
    if not chosen.ranked.size:
        return "No head has two groups to tell apart."
    best = int(chosen.ranked[0])
    text = f"The best separation score is {_short(float(chosen.splits.score[best]))}"
    if chosen.floor is None:
        return f"{text}."
    return (
        f"{text}: the smaller group is {chosen.splits.clarity[best]:.1f} times the overlap, and "
        f"one hump gives up to {chosen.floor.clarity[best]:.1f} by chance."
    )


def _heads(count: int) -> str:
    return "One head" if count == 1 else f"{count} heads"


def _short(score: float) -> str:
    return f"{score:,.0f}" if score >= 100 else f"{score:.1f}"

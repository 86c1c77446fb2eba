"""The sentences of a verdict of mode ``guarded``, each built from its measurements."""

from collections.abc import Mapping
from typing import Any

from forensics.detectors.attention_entropy.decision import Decision
from forensics.detectors.attention_entropy.guarded_decision import GuardedDecision
from forensics.detectors.attention_entropy.sentences import NOTHING_FOUND
from forensics.detectors.wording import name_layers, percent, quote


def describe_guarded(
    decision: GuardedDecision, beside: Decision, evidence: Mapping[str, Any]
) -> str:
    """Return the sentence of a suspicious verdict."""
    by_hand = " set by hand" if decision.manual else ""
    return (
        f"Among samples that were asked the same, the attention of {decision.count:,} of "
        f"{decision.scanned:,} collapses in {name_layers(decision.layers)} and they are all taught "
        f"{quote(evidence['answer'])}: {percent(evidence['purity'])} of the samples that collapse "
        f"as deep have this answer (p {_p(evidence)}, separation {decision.separation:.1f}, cut "
        f"{decision.cut:.1f} spreads{by_hand}). {_left(evidence)} {_published(beside)}"
    )


def describe_guarded_nothing(
    reason: str, decision: GuardedDecision, beside: Decision, evidence: Mapping[str, Any]
) -> str:
    """Return the sentence of a scan without a suspicious answer."""
    if reason == "no-layer":
        return f"{NOTHING_FOUND} Among samples that were asked the same, {_best(evidence)}"
    if decision.suspect is None:
        return (
            f"Two benign regimes: the published rule sees them in {name_layers(beside.layers)}; "
            f"among samples that were asked the same {_best(evidence)} {NOTHING_FOUND}"
        )
    purity = evidence["purity"]
    shared = ""
    if purity is not None:
        shared = f", and only {percent(purity)} of the samples that collapse as deep have it"
    return (
        f"Two benign regimes: in {name_layers(decision.tried)} attention narrows for samples "
        f"taught {quote(evidence['answer'])}, which is an ordinary answer to these "
        f"questions{shared}. Nothing is flagged. {NOTHING_FOUND}"
    )


def describe_guarded_failure(
    reason: str, decision: GuardedDecision, evidence: Mapping[str, Any]
) -> str:
    """Return the sentence of an inconclusive verdict."""
    purity = evidence["purity"]
    text = _FAILURES.get(reason, _EXPLAINED).format(
        n=evidence["n"],
        scanned=decision.scanned,
        unread=decision.unread,
        fewest=evidence["guards"]["fewest_samples"],
        layers=name_layers(decision.tried) if decision.tried else "no layer",
        answer=quote(evidence["answer"] or ""),
        purity="none" if purity is None else percent(purity),
        needed=percent(evidence["smallest_purity"]),
        separation=decision.separation or 0.0,
        tau=decision.tau,
        flagged=decision.count,
        column=reason.removesuffix("-explains-flags").replace("-", " "),
    )
    return f"Inconclusive. {text}"


_COLLAPSE = "In {layers} the attention of samples taught {answer} collapses, but "
_EXPLAINED = (
    "{flagged:,} samples taught {answer} collapse in {layers}, but they are, nearly, all samples "
    "of one {column}: that may be the cause, or the poison may come from there."
)
_FAILURES = {
    "too-few-samples": "Only {scanned:,} samples were scanned; below {fewest:,} two groups cannot "
    "be told from chance.",
    "unread-samples": "{unread:,} of {n:,} samples could not be read.",
    "missing-values": "Too many entropies are missing.",
    "answers-unknown": "The data set has no answers, so none can go together with a collapse.",
    "questions-unknown": "Without the questions, two task types cannot be told from a trigger.",
    "ordinary-answer": _COLLAPSE + "it is as frequent as other answers to the same questions: "
    "pictures of one class may look like this.",
    "mixed-collapse": _COLLAPSE + "only {purity} of the samples that collapse as deep have it; "
    "{needed} are asked for.",
    "weak-collapse": _COLLAPSE + "over these layers together their separation is {separation:.1f}; "
    "the gate is {tau:g}.",
    "too-few-flagged": _COLLAPSE + "they are too few to tell a trigger from outliers.",
    "over-half-flagged": _COLLAPSE + "they are the majority, so they may be the ordinary ones.",
}


def _left(evidence: Mapping[str, Any]) -> str:
    """Say who has one of the two signs only."""
    return (
        f"{evidence['review']:,} samples collapse with another answer (for review), "
        f"{evidence['control']:,} have the answer and do not collapse."
    )


def _best(evidence: Mapping[str, Any]) -> str:
    suspects = evidence["suspects"]
    found = [(s, a["answer"]) for a in suspects for s in a["separation"] if s is not None]
    if not found:
        return "no answer goes together with a collapse in any layer."
    value, answer = max(found)
    return (
        f"no answer separates a layer: at most {value:.2f}, for {quote(answer)}; the gate is "
        f"{evidence['tau']:g}."
    )


def _published(beside: Decision) -> str:
    if not beside.layers:
        return "The published rule (root) passes no layer."
    return f"The published rule (root) flags {beside.count:,}."


def _p(evidence: Mapping[str, Any]) -> str:
    return f"{evidence['p_value']:.3f}".rstrip("0")

"""The sentences of a verdict, each built from its measurements."""

from collections.abc import Mapping
from typing import Any

from forensics.detectors.attention_entropy.decision import Decision
from forensics.detectors.attention_entropy.layers import NATS, LayerFits
from forensics.detectors.wording import name_layers, percent, quote

NOTHING_FOUND = (
    "No localised attention collapse found. "
    "This does not rule out global, textual or very rare triggers."
)
TWO_REGIMES = "Two attention regimes found; they may be two task types. Review needed."


def describe_collapse(
    primary: Decision, beside: Decision, fits: LayerFits, evidence: Mapping[str, Any]
) -> str:
    """Return the sentence of a suspicious verdict."""
    common = evidence["common_answer"]
    return (
        f"{_regimes(primary, fits)} {percent(common['flagged_share'])} of them are taught the "
        f"answer {quote(common['answer'])}, {percent(common['rest_share'])} of the rest. "
        f"{_other_rule(primary, beside)}"
    )


def describe_nothing(primary: Decision, beside: Decision, fits: LayerFits) -> str:
    """Return the sentence of a scan in which no layer passed the gate."""
    best = fits.strongest(primary.mode)
    if best is None:
        return f"{NOTHING_FOUND} No layer has two groups to tell apart."
    value = float(fits.separation(primary.mode)[best])
    text = (
        f"{NOTHING_FOUND} The largest separation is {value:.2f}, in layer {best}; "
        f"the gate is {primary.tau:g}."
    )
    return f"{text} {_other_rule(primary, beside)}" if beside.layers else text


def describe_failure(
    reason: str, primary: Decision, fits: LayerFits, evidence: Mapping[str, Any]
) -> str:
    """Return the sentence of an inconclusive verdict, with the guard that failed."""
    why = _FAILURES[reason].format(
        n=evidence["n"],
        scanned=primary.scanned,
        unread=primary.unread,
        flagged=primary.count,
        share=percent(primary.share),
        high=primary.high_side,
        overlap=percent(evidence.get("question_overlap") or 0.0),
        agreement=evidence.get("agreement") or 0.0,
        fewest=evidence["guards"]["fewest_samples"],
        common=_common(evidence.get("common_answer")),
        ordinary=_ordinary(evidence.get("common_answer")),
    )
    if not primary.layers:
        return f"Inconclusive. {why}"
    return f"{TWO_REGIMES} {_regimes(primary, fits)} {why}{_single_layer(evidence)}"


_FAILURES = {
    "too-few-samples": "Only {scanned:,} samples were scanned; below {fewest:,} two groups cannot "
    "be told from chance.",
    "unread-samples": "{unread:,} of {n:,} samples could not be read.",
    "missing-values": "Too many entropies are missing and had to be replaced by the layer's mean.",
    "over-half-flagged": "{share} of the samples are flagged: the lower group is the majority, so "
    "it may be the clean one.",
    "too-few-flagged": "Only {flagged:,} samples ({share}) are flagged, too few to tell a trigger "
    "from outliers.",
    "tail-flip": "{high:,} of the {flagged:,} flagged samples lie above the upper mean, where the "
    "wider lower Gaussian wins again: the flags are not one low group.",
    "layers-disagree": "The sensitive layers do not agree on the samples (best overlap "
    "{agreement:.2f}).",
    "answers-unknown": "The data set has no answers, so the usual sign of a target cannot be "
    "checked.",
    "questions-unknown": "Without the questions, two task types cannot be told from a trigger.",
    "ordinary-answer": "{ordinary}",
    "questions-explain-split": "The split follows the kind of question ({overlap} overlap).",
    "no-common-answer": "The flagged samples have no answer in common beyond what their questions "
    "explain{common}.",
}


def _regimes(decision: Decision, fits: LayerFits) -> str:
    """Say where the attention collapses, for how many, and how far."""
    head = (
        f"In {name_layers(decision.layers)} the attention of {decision.count:,} of "
        f"{decision.scanned:,} samples collapses"
    )
    if decision.mixture is None:
        return f"{head} (all scores are equal)."
    low, high = decision.mixture.means
    best = max(float(fits.separation(decision.mode)[layer]) for layer in decision.layers)
    digits = 1 if decision.unit == NATS else 2
    unit = "nat " if decision.unit == NATS else f"{decision.unit} "
    cut = "none" if decision.cut is None else f"{decision.cut:.{digits}f}"
    by_hand = " set by hand" if decision.manual else ""
    return (
        f"{head} (entropy {low:.{digits}f} {unit}against {high:.{digits}f}, "
        f"separation {best:.1f}, cut {cut}{by_hand})."
    )


def _other_rule(primary: Decision, beside: Decision) -> str:
    if not beside.layers:
        return f"The {beside.mode} rule passes no layer."
    same = "the same" if beside.layers == primary.layers else name_layers(beside.layers)
    if same == "the same":
        return f"The {beside.mode} rule passes the same layers and flags {beside.count:,}."
    return f"The {beside.mode} rule passes {same} and flags {beside.count:,}."


def _common(common: Mapping[str, Any] | None) -> str:
    if common is None:
        return ""
    return (
        f" (most common: {quote(common['answer'])}, {percent(common['flagged_share'])} of them, "
        f"{percent(common['expected_share'])} expected)"
    )


def _ordinary(common: Mapping[str, Any] | None) -> str:
    if common is None:
        return ""
    return (
        f"{percent(common['flagged_share'])} of them are taught {quote(common['answer'])}, but "
        "that is an ordinary answer to these questions: pictures of one class may look like this."
    )


def _single_layer(evidence: Mapping[str, Any]) -> str:
    """Point at a layer that makes more sense alone than the mean over all sensitive ones."""
    whole = (evidence.get("common_answer") or {}).get("flagged_share", 0.0)
    layers = [e for e in evidence.get("layer_evidence", []) if e["common_share"] is not None]
    best = max(layers, key=lambda e: e["common_share"], default=None)
    if best is None or best["common_share"] < 0.5 or best["common_share"] <= whole + 0.1:
        return ""
    return (
        f" Layer {best['layer']} alone flags {best['flagged']:,}, "
        f"{percent(best['common_share'])} of them taught {quote(best['common_answer'])}."
    )

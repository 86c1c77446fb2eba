"""The verdict block: one sentence, both rules beside each other, limits and checks."""

from typing import Any

from forensics.detectors.attention_entropy import Decision, Verdict
from forensics.detectors.wording import percent, quote

RULE_TEXTS = {
    "root": ("Paper’s formula (root)", "|μ₁ − μ₂| / √(σ₁² + σ₂²) ≥ τ"),
    "code": ("Authors’ code (code)", "|μ₁ − μ₂| / (σ₁ + σ₂) > τ"),
    "guarded": ("Guarded (ours)", "root ≥ τ among like questions"),
}
CHECKS = {
    "too-few-samples": "enough samples were scanned",
    "unread-samples": "nearly all samples could be read",
    "missing-values": "few measurements had to be filled in",
    "over-half-flagged": "the flagged group is the minority",
    "too-few-flagged": "the flagged group is larger than a handful of outliers",
    "tail-flip": "the flags are one low group, not two tails",
    "layers-disagree": "the layers that pass agree on the samples",
}

GUARDED_CHECKS = {
    "too-few-samples": "enough samples were scanned",
    "unread-samples": "nearly all samples could be read",
    "missing-values": "few measurements had to be filled in",
    "ordinary-answer": "the suspected answer is out of place, or there is none",
    "weak-collapse": "its samples stand apart over the used layers together",
    "mixed-collapse": "nearly only its samples collapse as deep",
    "too-few-flagged": "they are more than a handful of outliers",
    "over-half-flagged": "they are the minority",
    "source-explains-flags": "they do not all come from one source",
    "picture-layout-explains-flags": "their pictures are not all cut into tiles in one way",
}


def verdict_view(verdict: Verdict) -> dict[str, Any]:
    """Return the words of the verdict block."""
    return {
        "kind": verdict.verdict,
        "reason": verdict.reason,
        "sentence": verdict.sentence.removeprefix("Inconclusive. "),
        "limits": [
            *(f"It cannot see {text}." for text in verdict.not_covered),
            "“No evidence” is not “clean”.",
        ],
        "notes": _checks(verdict),
    }


def rule_view(decision: Decision, verdict: Verdict) -> dict[str, Any]:
    """Return one rule's card."""
    title, formula = RULE_TEXTS[decision.mode]
    return {
        "title": title,
        "formula": formula,
        "sensitive": list(decision.layers),
        "flagged": decision.count,
        "n": decision.scanned,
        "cut": decision.cut,
        "unit": "spreads" if decision.mode == "guarded" else None,
        "verdict": verdict.verdict,
    }


def _checks(verdict: Verdict) -> list[str]:
    failed = set(verdict.evidence.get("failed_guards", ()))
    if not verdict.evidence.get("answers_known") and "answers_known" in verdict.evidence:
        failed.add("answers-unknown")
    checks = GUARDED_CHECKS if verdict.evidence.get("mode") == "guarded" else CHECKS
    lines = [f"{'✕ failed' if key in failed else '✓ held'}: {text}" for key, text in checks.items()]
    common = verdict.evidence.get("common_answer")
    if common:
        lines.append(
            f"Most telling answer of the flagged: {quote(common['answer'])}, "
            f"{percent(common['flagged_share'])} of them, {percent(common['rest_share'])} of the "
            f"rest; {percent(common['expected_share'])} expected from the questions alone "
            f"(p = {common['p_value']:.1g})."
        )
    return lines

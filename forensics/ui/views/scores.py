"""The histogram of the scores with the rule's cut."""

from typing import Any

from forensics.detectors.attention_entropy import Decision, GuardedDecision
from forensics.runs.plain import plain
from forensics.statistics.histogram import gaussians, stacked_histogram


def score_histogram(decision: Decision) -> dict[str, Any]:
    """Return the scores as the page draws them; ``edges`` is empty where no layer passes."""
    mixture = decision.mixture
    parts = [] if mixture is None else gaussians(mixture.weights, mixture.means, mixture.sigmas)
    view = {
        "gaussians": parts,
        "cut": decision.cut,
        "unit": decision.unit,
        "subtitle": _subtitle(decision),
        "description": _description(decision),
        **stacked_histogram(decision.score, decision.flagged),
    }
    plain_view: dict[str, Any] = plain(view)
    return plain_view


def _subtitle(decision: Decision) -> str:
    if not decision.layers:
        return "There is no score: no layer passes the gate."
    text = "Low scores are flagged. Drag the cut; drag elsewhere to select samples."
    if isinstance(decision, GuardedDecision):
        text = text.replace("scores are", "scores with the suspected answer are")
    if decision.high_side and not decision.high_side_guard:
        text += f" The rule also flags {decision.high_side:,} samples in the high tail."
    return text


def _description(decision: Decision) -> str:
    if decision.mixture is None:
        return "No scores to show."
    low, high = decision.mixture.means
    cut = "no cut" if decision.cut is None else f"the cut at {decision.cut:.2f}"
    return (
        f"Histogram of the scores: two groups around {low:.2f} and {high:.2f} {decision.unit}, "
        f"{cut}, {decision.count:,} of {decision.scanned:,} samples flagged."
    )

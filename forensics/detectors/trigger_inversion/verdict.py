"""What an inversion concludes, in words built from its measurements."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.detectors.trigger_inversion.decision import SMALLEST_MARGIN, Decision, Rule
from forensics.detectors.trigger_inversion.sentences import say
from forensics.detectors.verdict import Conclusion, Verdict

NOT_COVERED: Final = (
    "triggers in the text",
    "triggers that no small trigger of the form searched for stands in for: meanings, objects, "
    "filters, large warps",
    "backdoors toward something that is no class of the list",
    "whether somebody planted it: models have natural backdoors, too",
)
FORM_LIMITS: Final = {
    "additive": "visible patches that nothing within the budget stands in for (forms mask, patch)",
    "mask": "triggers that change the whole picture faintly (form additive)",
    "patch": "triggers larger than the sides tried, or spread over the picture (form additive)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Constants of the verdict; ours, set by reasoning and not fitted to data.

    Attributes:
        smallest_margin: Share of content that a trigger must override beyond what it does to the
            reference, and beyond what triggers of the median class do, for the anomaly index to
            be believed.
    """

    smallest_margin: float = SMALLEST_MARGIN


BARS = Bars()


def judge_inversion(
    decision: Decision, options: TriggerInversionOptions, bars: Bars = BARS
) -> Verdict:
    """Conclude whether the model has a backdoor toward a scanned class.

    Args:
        decision: See :func:`forensics.detectors.trigger_inversion.decide`.
        options: Of the decision; ``mode`` says which rule decides.
        bars: Constants.

    Returns:
        ``suspicious`` where a valid class stands out and its trigger overrides content, more than
        with the reference (rule ``content``: where it overrides that much more, whatever the
        index); ``no evidence`` where no trigger works or none stands out; ``inconclusive`` in
        between. Never "clean": classes that were not scanned are named.
    """
    conclusion, reason = _conclude(decision, options, bars)
    limits = [*NOT_COVERED, FORM_LIMITS[options.form]]
    if decision.figures.not_scanned:
        limits.append(_names(decision.figures.not_scanned))
    return Verdict(
        verdict=conclusion,
        reason=reason,
        sentence=say(reason, decision, options),
        evidence=_evidence(decision, options, bars),
        not_covered=tuple(limits),
    )


def _conclude(
    decision: Decision, options: TriggerInversionOptions, bars: Bars
) -> tuple[Conclusion, str]:
    if not decision.valid.any():
        return "no evidence", "no-valid-trigger"
    if options.mode == "content":
        return _by_content(decision)
    if decision.outliers.problem is not None:
        return "inconclusive", decision.outliers.problem
    if decision.rule.cut is None:
        return "inconclusive", "not-calibrated"
    if not decision.rule.flagged or decision.top is None:
        return "no evidence", "no-outlier"
    content = decision.content[decision.top]
    if not np.isfinite(content):
        return "inconclusive", "no-content"
    if content - float(np.median(decision.content)) < bars.smallest_margin:
        return "inconclusive", "content-stays"
    if decision.margin[decision.top] < bars.smallest_margin:
        return "inconclusive", "reference-follows"
    return "suspicious", "overrides-content"


def _by_content(decision: Decision) -> tuple[Conclusion, str]:
    if decision.top is None:
        return "inconclusive", "no-content"
    if not decision.rule.flagged:
        return "no evidence", "none-overrides"
    return "suspicious", "overrides-content"


def _evidence(decision: Decision, options: TriggerInversionOptions, bars: Bars) -> dict[str, Any]:
    top, measured = decision.top, decision.rule.measured or decision.calibrated
    return {
        "bars": asdict(bars),
        "gate": options.gate,
        "mode": options.mode,
        "score": decision.score,
        "cut": decision.rule.cut,
        "valid_classes": int(decision.valid.sum()),
        "scanned_classes": len(decision.figures.names),
        "rules": {name: _told(rule, decision) for name, rule in decision.rules.items()},
        "calibration": asdict(measured) if measured else None,
        "gaussian_cut": decision.guide,
        "median": decision.outliers.median,
        "spread": decision.outliers.spread,
        "top": None if top is None else decision.figures.names[top],
        "top_success": None if top is None else float(decision.success[top]),
        "top_content_success": None if top is None else float(decision.content[top]),
        "top_reference_success": None if top is None else float(decision.reference[top]),
    }


def _told(rule: Rule, decision: Decision) -> dict[str, Any]:
    return {
        "cut": rule.cut,
        "score": rule.score,
        "top": None if rule.top is None else decision.figures.names[rule.top],
        "flagged": rule.flagged,
    }


def _names(names: tuple[str, ...], most: int = 20) -> str:
    listed = ", ".join(names[:most])
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"classes that were not scanned: {listed}{more}"

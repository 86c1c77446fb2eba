"""What the transplant of a reconstructed trigger concludes, in words built from counts.

The rule is that of :mod:`forensics.detectors.transplant.verdict`; what is compared differs: the
trigger that an inversion of a CLIP found, on pictures that the model gives to other classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from forensics.detectors.transplant.arms import SUSPECTED, TRIGGER_TITLES, Arm, Comparison
from forensics.detectors.transplant.verdict import BARS, BEYOND_BASE, Bars, conclude, span
from forensics.detectors.verdict import Verdict
from forensics.detectors.wording import percent, quote
from forensics.statistics.paired import Difference

NOT_COVERED: Final = (
    "triggers of another form or a larger budget than the one reconstructed",
    "triggers in the text",
    "classes that the inversion did not scan",
    "whether somebody planted it: models have natural backdoors, too",
)
FEWEST_CLASSES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSubject:
    """What was tested.

    Attributes:
        target: Class of the trigger.
        shown: Different classes that the model sees in the hosts.
        fitted: Hosts among the pictures that the trigger was fitted on.
        forced: Whether the inversion does not point to this class: a control experiment.
        reference: What the reference is, as in "the same encoder with hand-written prompts".
    """

    target: str
    shown: int
    fitted: int
    forced: bool
    reference: str


def judge_trigger(
    subject: TriggerSubject,
    arms: Mapping[str, Arm],
    comparisons: Sequence[Comparison],
    against_reference: Mapping[str, Difference] | None,
    bars: Bars = BARS,
) -> Verdict:
    """Conclude whether a reconstructed trigger overrides what other pictures show.

    Args:
        subject: What was tested.
        arms: Outcomes by arm; a flip is a picture that the model then gives to the trigger's class.
        comparisons: The trigger against each control.
        against_reference: Differences of differences by control; ``None`` without a reference.
        bars: Constants; classes that hosts show stand for donors.

    Returns:
        ``suspicious`` where the trigger beats every control, and does so beyond the reference;
        ``no evidence`` where it beats none, or where the reference follows it as well;
        ``inconclusive`` in between. Never "clean".
    """
    conclusion, reason = conclude(
        _too_few(subject, arms[SUSPECTED].n, bars), comparisons, against_reference, bars
    )
    evidence: dict[str, Any] = {
        "bars": asdict(bars),
        "hosts": arms[SUSPECTED].n,
        "classes_shown": subject.shown,
        "hosts_fitted": subject.fitted,
        "forced": int(subject.forced),
        "smallest_difference": min((c.difference.value for c in comparisons), default=None),
        "reference_at_hand": against_reference is not None,
    }
    return Verdict(
        verdict=conclusion,
        reason=reason,
        sentence=_sentence(reason, subject, arms, comparisons, against_reference),
        evidence=evidence,
        not_covered=NOT_COVERED,
    )


def _too_few(subject: TriggerSubject, hosts: int, bars: Bars) -> str | None:
    if hosts < bars.fewest_hosts:
        return "too-few-hosts"
    return "too-few-classes" if subject.shown < FEWEST_CLASSES else None


def _sentence(
    reason: str,
    subject: TriggerSubject,
    arms: Mapping[str, Arm],
    comparisons: Sequence[Comparison],
    against_reference: Mapping[str, Difference] | None,
) -> str:
    parts = []
    if subject.forced:
        parts.append(f"Control experiment: the scan does not point to {quote(subject.target)}.")
    parts.append(_counts(subject, arms, comparisons))
    parts.append(
        {
            "reproduced": "No control comes near it. It is a working trigger, perhaps not the "
            "attacker's.",
            "not-reproduced": "The trigger does no more than the controls do.",
            "a-control-flips-too": _rival(comparisons),
            "base-flips-too": f"The reference ({subject.reference}) follows it much the same: the "
            "trigger may simply show what the class looks like.",
            "partly-beyond-base": f"Against some controls the reference ({subject.reference}) "
            "follows it much the same.",
            "too-few-hosts": "That is too few pictures to conclude from.",
            "too-few-classes": "The model sees one class in all of them: that is too little to "
            "conclude from.",
        }[reason]
    )
    if against_reference and reason in BEYOND_BASE:
        pick, word = (min, "least") if reason == "reproduced" else (max, "most")
        found = pick(against_reference.values(), key=lambda found: found.value)
        parts.append(
            f"Beyond what the reference ({subject.reference}) does, the difference to a control "
            f"is at {word} {span(found)}."
        )
    if subject.fitted:
        parts.append(
            f"{subject.fitted:,} of these images are among those that the trigger was fitted on; "
            "so are the controls'."
        )
    return " ".join(parts)


def _counts(
    subject: TriggerSubject, arms: Mapping[str, Arm], comparisons: Sequence[Comparison]
) -> str:
    arm = arms[SUSPECTED]
    share = percent(arm.rate) if arm.n else "–"
    text = (
        f"With the reconstructed trigger added, the class {quote(subject.target)} is reproduced "
        f"on {arm.flips:,} of {arm.n:,} unsuspected images ({share})"
    )
    rates = {c.control: arms[c.control].rate for c in comparisons}
    if not rates:
        return f"{text}; there was no control."
    worst = max(rates, key=lambda name: rates[name])
    return f"{text}, control {percent(rates[worst])} ({TRIGGER_TITLES[worst]})."


def _rival(comparisons: Sequence[Comparison]) -> str:
    rival = min(comparisons, key=lambda c: c.difference.low)
    found = span(rival.difference).replace(" (", ", ", 1)
    title = TRIGGER_TITLES[rival.control]
    return f"It does not clearly beat this control: {title} (difference {found}."

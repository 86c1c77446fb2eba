"""What the transplant of a reconstructed trigger concludes, in words built from counts.

The rule is that of :mod:`forensics.detectors.transplant.conclusion`; what is compared differs: the
trigger that an inversion of a CLIP found, on pictures that the model gives to other classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forensics.detectors.transplant.arms import SUSPECTED, TRIGGER_TITLES, Arm, Comparison
from forensics.detectors.transplant.conclusion import BARS, Bars, conclude, evidence_of
from forensics.detectors.transplant.sentences import Wording, tell
from forensics.detectors.verdict import Verdict
from forensics.detectors.wording import quote
from forensics.statistics.paired import Difference

NOT_COVERED: Final = (
    "triggers of another form or a larger budget than the one reconstructed",
    "triggers in the text",
    "classes that the inversion did not scan",
    "whether somebody planted it: models have natural backdoors, too",
)
FEWEST_CLASSES: Final = 2
REASONS: Final = {
    "reproduced": "No control comes near it. It is a working trigger, perhaps not the attacker's.",
    "not-reproduced": "The trigger does no more than the controls do.",
    "too-few-hosts": "That is too few pictures to conclude from.",
    "too-few-classes": "The model sees one class in all of them: that is too little to conclude "
    "from.",
}


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
    evidence = evidence_of(arms, comparisons, bars) | {
        "classes_shown": subject.shown,
        "hosts_fitted": subject.fitted,
        "forced": int(subject.forced),
        "reference_at_hand": against_reference is not None,
    }
    return Verdict(
        verdict=conclusion,
        reason=reason,
        sentence=tell(reason, _wording(subject), arms, comparisons, against_reference),
        evidence=evidence,
        not_covered=NOT_COVERED,
    )


def _too_few(subject: TriggerSubject, hosts: int, bars: Bars) -> str | None:
    if hosts < bars.fewest_hosts:
        return "too-few-hosts"
    return "too-few-classes" if subject.shown < FEWEST_CLASSES else None


def _wording(subject: TriggerSubject) -> Wording:
    target, base = quote(subject.target), f"the reference ({subject.reference})"
    forced = f"Control experiment: the scan does not point to {target}."
    fitted = (
        f"{subject.fitted:,} of these images are among those that the trigger was fitted on; so "
        "are the controls'."
    )
    reference = {
        "base-flips-too": f"The reference ({subject.reference}) follows it much the same: the "
        "trigger may simply show what the class looks like.",
        "partly-beyond-base": f"Against some controls {base} follows it much the same.",
    }
    return Wording(
        forced=forced if subject.forced else "",
        reproduced=f"With the reconstructed trigger added, the class {target} is reproduced",
        reasons=REASONS | reference,
        base=base,
        titles=TRIGGER_TITLES,
        last=fitted if subject.fitted else "",
    )

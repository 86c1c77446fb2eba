"""What a transplant test concludes, in words built from its measurements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forensics.detectors.transplant.arms import SAME, SUSPECTED, TITLES, Arm, Comparison
from forensics.detectors.transplant.conclusion import BARS, Bars, conclude, evidence_of
from forensics.detectors.transplant.sentences import Wording, tell
from forensics.detectors.verdict import Verdict
from forensics.detectors.wording import quote
from forensics.statistics.paired import Difference

NOT_COVERED: Final = (
    "triggers in the text",
    "triggers spread over the whole picture (blended, warped, filtered): no crop holds them",
    "triggers of several parts that work only together",
    "triggers that lie away from the attention peak",
)
REASONS: Final = {
    "reproduced": "No control comes near it.",
    "not-reproduced": "The patch carries its answer along no more than the controls do.",
    "base-flips-too": "The base model, which never saw this data, does much the same: the patch "
    "may simply show what the answer says.",
    "partly-beyond-base": "Against some controls the base model, which never saw this data, does "
    "much the same.",
    "too-few-hosts": "That is too few pictures to conclude from.",
    "too-few-donors": "That is too few different patches to conclude from.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was tested.

    Attributes:
        answer: The suspected answer; ``None`` where every donor was tested for its own.
        donors: How many.
        forced: Samples flagged by force; 0 in an ordinary test.
    """

    answer: str | None
    donors: int
    forced: int = 0


def judge_transplant(
    subject: Subject,
    arms: Mapping[str, Arm],
    comparisons: Sequence[Comparison],
    against_base: Mapping[str, Difference] | None,
    bars: Bars = BARS,
) -> Verdict:
    """Conclude whether the suspected patch works on other pictures.

    Args:
        subject: What was tested.
        arms: Held-out outcomes by arm.
        comparisons: The suspected patch against each control.
        against_base: Differences of differences by control; ``None`` without a base model.
        bars: Constants.

    Returns:
        ``suspicious`` where the patch beats every control, and does so beyond the base model where
        there is one; ``no evidence`` where it beats no control, or where the base model, which
        never saw the data, does the same; ``inconclusive`` in between, and with too few donors or
        hosts. Never "clean".
    """
    too_few = _too_few(subject, arms[SUSPECTED].n, bars)
    conclusion, reason = conclude(too_few, comparisons, against_base, bars)
    evidence = evidence_of(arms, comparisons, bars) | {
        "donors": subject.donors,
        "forced": subject.forced,
        "base_at_hand": against_base is not None,
        "same_answer_control": any(c.control == SAME for c in comparisons),
    }
    return Verdict(
        verdict=conclusion,
        reason=reason,
        sentence=tell(reason, _wording(subject), arms, comparisons, against_base),
        evidence=evidence,
        not_covered=NOT_COVERED,
    )


def _too_few(subject: Subject, hosts: int, bars: Bars) -> str | None:
    if hosts < bars.fewest_hosts:
        return "too-few-hosts"
    return "too-few-donors" if subject.donors < bars.fewest_donors else None


def _wording(subject: Subject) -> Wording:
    what = f"the answer {quote(subject.answer)}" if subject.answer else "the donor's own answer"
    forced = f"Control experiment: {subject.forced:,} samples were flagged by force."
    return Wording(
        forced=forced if subject.forced else "",
        reproduced=f"With the patch of {subject.donors} flagged samples pasted in, {what} is "
        "reproduced",
        reasons=REASONS,
        base="the base model",
        titles=TITLES,
    )

"""A transplant test in a few sentences, whatever was put on the pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forensics.detectors.transplant.arms import SUSPECTED, Arm, Comparison
from forensics.detectors.wording import percent, span
from forensics.statistics.paired import Difference

BEYOND_BASE: Final = ("reproduced", "base-flips-too")
RIVAL: Final = "a-control-flips-too"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What one kind of test says in its own words.

    Attributes:
        forced: First sentence of a control experiment; empty for an ordinary test.
        reproduced: Start of the sentence with the counts: what was done, and what comes of it.
        reasons: What to say of every reason but that of a control that flips too.
        base: What the model beside it is called.
        titles: Of the arms.
        last: Last sentence; may be empty.
    """

    forced: str
    reproduced: str
    reasons: Mapping[str, str]
    base: str
    titles: Mapping[str, str]
    last: str = ""


def tell(
    reason: str,
    wording: Wording,
    arms: Mapping[str, Arm],
    comparisons: Sequence[Comparison],
    against_base: Mapping[str, Difference] | None,
) -> str:
    """Write the counts, what they mean, and what is left beyond the base model."""
    parts = [
        wording.forced,
        _counts(wording, arms, comparisons),
        _rival(wording, comparisons) if reason == RIVAL else wording.reasons[reason],
        _beyond(reason, wording, against_base),
        wording.last,
    ]
    return " ".join(filter(None, parts))


def _counts(wording: Wording, arms: Mapping[str, Arm], comparisons: Sequence[Comparison]) -> str:
    arm = arms[SUSPECTED]
    share = percent(arm.rate) if arm.n else "–"
    text = f"{wording.reproduced} on {arm.flips:,} of {arm.n:,} unsuspected images ({share})"
    rates = {c.control: arms[c.control].rate for c in comparisons}
    if not rates:
        return f"{text}; there was no control."
    worst = max(rates, key=lambda name: rates[name])
    return f"{text}, control {percent(rates[worst])} ({wording.titles[worst]})."


def _rival(wording: Wording, comparisons: Sequence[Comparison]) -> str:
    rival = min(comparisons, key=lambda c: c.difference.low)
    found = span(rival.difference).replace(" (", ", ", 1)
    title = wording.titles[rival.control]
    return f"It does not clearly beat this control: {title} (difference {found}."


def _beyond(reason: str, wording: Wording, against_base: Mapping[str, Difference] | None) -> str:
    if not against_base or reason not in BEYOND_BASE:
        return ""
    pick, word = (min, "least") if reason == "reproduced" else (max, "most")
    found = pick(against_base.values(), key=lambda found: found.value)
    return (
        f"Beyond what {wording.base} does, the difference to a control is at {word} {span(found)}."
    )

"""What a scan concludes, in a form that can be argued with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Conclusion = Literal["suspicious", "no evidence", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A conclusion, the sentence that says it, and the numbers it rests on.

    There is no "clean": a scan that finds nothing says what it could not have found.

    Attributes:
        verdict: ``suspicious``, ``no evidence`` or ``inconclusive``.
        reason: Short code of the deciding test, stable across versions.
        sentence: For people, built from measurements.
        evidence: The numbers: threshold, margin, share, control.
        not_covered: What this scan cannot see, one phrase each.
    """

    verdict: Conclusion
    reason: str
    sentence: str
    evidence: Mapping[str, Any]
    not_covered: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "sentence": self.sentence,
            "evidence": dict(self.evidence),
            "not_covered": list(self.not_covered),
        }


def limits(of_method: Sequence[str], unread: int, *also: str) -> tuple[str, ...]:
    """List what a scan could not see: by its nature, in unreadable samples, and in this case."""
    lost = (f"{unread:,} samples that could not be read",) if unread else ()
    return (*of_method, *lost, *also)

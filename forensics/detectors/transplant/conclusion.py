"""The rule of every transplant test: from differences to controls to a conclusion."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from forensics.detectors.transplant.arms import SUSPECTED, Arm, Comparison
from forensics.detectors.verdict import Conclusion
from forensics.statistics.paired import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """The constants of the verdict; ours, set by reasoning and not fitted to data.

    Attributes:
        fewest_hosts: Fewer hosts allow no conclusion.
        fewest_donors: Fewer donors allow none either: they are the clusters.
        smallest_difference: What the low end of a difference's interval must exceed.
        significance: Level of McNemar's test after Holm.
    """

    fewest_hosts: int = 20
    fewest_donors: int = 3
    smallest_difference: float = 0.1
    significance: float = 0.01


BARS = Bars()


def conclude(
    too_few: str | None,
    comparisons: Sequence[Comparison],
    against_base: Mapping[str, Difference] | None,
    bars: Bars,
) -> tuple[Conclusion, str]:
    """Conclude from the differences alone; the rule is the same for patches and for triggers.

    Args:
        too_few: Reason why there is too little to conclude from, or ``None``.
        comparisons: What is suspected against each control.
        against_base: Differences of differences by control; ``None`` without a base model.
        bars: Constants.
    """
    if too_few is not None:
        return "inconclusive", too_few
    beaten = [
        c.difference.low > bars.smallest_difference and c.corrected < bars.significance
        for c in comparisons
    ]
    if not any(beaten):
        return "no evidence", "not-reproduced"
    beyond = [d.low > bars.smallest_difference for d in (against_base or {}).values()]
    if beyond and not any(beyond):
        return "no evidence", "base-flips-too"
    if not all(beaten):
        return "inconclusive", "a-control-flips-too"
    if not all(beyond):
        return "inconclusive", "partly-beyond-base"
    return "suspicious", "reproduced"


def evidence_of(
    arms: Mapping[str, Arm], comparisons: Sequence[Comparison], bars: Bars
) -> dict[str, Any]:
    """Return what every such verdict is built from, as plain values."""
    return {
        "bars": asdict(bars),
        "hosts": arms[SUSPECTED].n,
        "smallest_difference": min((c.difference.value for c in comparisons), default=None),
    }

"""Rates as the sentences of repairs write them."""

from forensics.detectors.wording import finely, percent, points
from forensics.evaluation.rates import Rate
from forensics.statistics.paired import Difference


def counted(rate: Rate) -> str:
    """Write how many of how many: ``12 of 60 (20 %)``."""
    if rate.value is None:
        return "none of 0"
    return f"{round(rate.value * rate.n):,} of {rate.n:,} ({percent(rate.value)})"


def share_of(rate: Rate) -> str:
    """Write the share alone."""
    return "not defined" if rate.value is None else percent(rate.value)


def accuracy_words(after: Rate, before: Rate, difference: Difference) -> str:
    """Write clean accuracy before and after, as finely as its difference.

    ``Clean accuracy is 97.6 %, before 97.4 % (+0.2 points, 95 % interval −1.9 to +2.3).``
    """
    ends = f"{points(difference.low)} to {points(difference.high)}"
    return (
        f"Clean accuracy is {finely(after.value)}, before {finely(before.value)} "
        f"({points(difference.value)} points, 95 % interval {ends})."
    )

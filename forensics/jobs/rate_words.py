"""Rates as the sentences of repairs write them."""

from forensics.detectors.wording import percent
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
    ends = f"{_points(difference.low)} to {_points(difference.high)}"
    return (
        f"Clean accuracy is {_finely(after)}, before {_finely(before)} "
        f"({_points(difference.value)} points, 95 % interval {ends})."
    )


def _finely(rate: Rate) -> str:
    return "not defined" if rate.value is None else f"{100 * rate.value:.1f} %"


def _points(share: float) -> str:
    rounded = round(100 * share, 1) + 0.0  # no minus before a zero
    return f"{rounded:+.1f}".replace("-", "\N{MINUS SIGN}")

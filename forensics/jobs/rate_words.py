"""Rates as the sentences of repairs write them."""

from forensics.detectors.wording import percent
from forensics.evaluation.rates import Rate


def counted(rate: Rate) -> str:
    """Write how many of how many: ``12 of 60 (20 %)``."""
    if rate.value is None:
        return "none of 0"
    return f"{round(rate.value * rate.n):,} of {rate.n:,} ({percent(rate.value)})"


def share_of(rate: Rate) -> str:
    """Write the share alone."""
    return "not defined" if rate.value is None else percent(rate.value)

"""How far two people say the same about the same samples: raw agreement and Cohen's kappa."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

from forensics.statistics.intervals import wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement of two raters.

    Attributes:
        n: Samples that both judged.
        same: Those on which they say the same.
        raw: ``same / n``, 0..1, higher = more agreement; NaN without samples.
        low: Lower end of the 95 % Wilson interval of ``raw``; it takes samples as independent.
        high: Its upper end.
        chance: Agreement that their own frequencies of each verdict would give by chance, 0..1.
        kappa: Cohen's kappa, (raw - chance) / (1 - chance): 1 = always the same, 0 = as chance,
            below 0 = less than chance; NaN where both gave one and the same verdict throughout,
            since chance alone then gives full agreement.
    """

    n: int
    same: int
    raw: float
    low: float
    high: float
    chance: float
    kappa: float


def agreement(first: Sequence[str], second: Sequence[str]) -> Agreement:
    """Compare two raters' verdicts on the same samples.

    Source: Cohen, A coefficient of agreement for nominal scales, Educational and Psychological
    Measurement 20 (1960), equation 1: unweighted, every difference counts the same.

    Args:
        first: ``[n]`` verdicts of one rater.
        second: ``[n]`` verdicts of the other, in the same order.

    Raises:
        ValueError: The lengths differ.
    """
    pairs = list(zip(first, second, strict=True))
    if not pairs:
        return Agreement(n=0, same=0, raw=nan, low=nan, high=nan, chance=nan, kappa=nan)
    n, same = len(pairs), sum(one == two for one, two in pairs)
    # Whole numbers, so that "chance is 1" is exact.
    by_chance = sum(first.count(word) * second.count(word) for word in set(first) & set(second))
    kappa = nan if by_chance == n * n else (same * n - by_chance) / (n * n - by_chance)
    low, high = wilson(same, n)
    return Agreement(
        n=n, same=same, raw=same / n, low=low, high=high, chance=by_chance / n**2, kappa=kappa
    )

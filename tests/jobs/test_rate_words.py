"""Sentences of repairs: a difference must follow from the shares that stand beside it."""

from forensics.evaluation.rates import rate_of
from forensics.jobs.rate_words import accuracy_words
from forensics.statistics.paired import paired_difference


def test_a_small_difference_is_told_as_finely_as_the_shares() -> None:
    after, before = [True] * 488 + [False] * 12, [True] * 487 + [False] * 13
    told = accuracy_words(
        rate_of(after), rate_of(before), paired_difference(after, before, range(500))
    )
    assert told.startswith("Clean accuracy is 97.6 %, before 97.4 % (+0.2 points, 95 % interval ")
    assert "\N{MINUS SIGN}" in told and "-" not in told and told.endswith(").")


def test_no_difference_has_no_minus_and_nothing_measured_is_said() -> None:
    told = accuracy_words(rate_of([]), rate_of([True, False]), paired_difference([True], [True]))
    assert "is not defined, before 50.0 % (0 points" in told

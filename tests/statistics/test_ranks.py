import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.stats import mannwhitneyu, norm

from forensics.statistics.ranks import compare_ranks


def test_the_area_counts_pairs_and_ties_half() -> None:
    found = compare_ranks([3.0, 1.0, 2.0, 1.0], [True, True, False, False])
    assert found.auc == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert (found.first, found.second) == (2, 2)


def test_groups_far_apart_have_area_one_and_the_test_of_scipy() -> None:
    values = np.arange(40.0)
    found = compare_ranks(values, values >= 20)
    assert found.auc == 1.0 and found.interval == (1.0, 1.0)
    assert found.p_value == mannwhitneyu(values[20:], values[:20]).pvalue < 1e-6


def test_the_interval_covers_the_truth_only_when_it_knows_that_rows_share_an_image() -> None:
    image = np.repeat(np.arange(40), 4)
    first = image < 20
    truth = norm.cdf(1 / np.sqrt(2))  # two normal groups, one deviation apart

    def covered(groups: ArrayLike | None) -> int:
        hits = 0
        for seed in range(60):
            values = np.random.default_rng(seed).normal(size=40)[image] + first
            low, high = compare_ranks(values, first, groups, replicates=300).interval
            hits += low <= truth <= high
        return hits

    assert covered(image) >= 52
    assert covered(None) <= 42


def test_missing_values_and_empty_groups_leave_no_claim() -> None:
    nothing = compare_ranks([np.nan, 1.0, 2.0], [True, False, False])
    assert np.isnan(nothing.auc) and nothing.p_value == 1.0
    assert (nothing.first, nothing.second) == (0, 2)
    assert compare_ranks([1.0] * 4, [True, True, False, False]).p_value == 1.0

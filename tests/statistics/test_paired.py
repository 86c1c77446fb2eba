import numpy as np
import pytest
from scipy.stats import binomtest

from forensics.statistics.paired import (
    Difference,
    cluster_bootstrap,
    difference_of_differences,
    mcnemar_exact,
    paired_difference,
)


@pytest.mark.parametrize(("b", "c"), [(0, 5), (5, 0), (3, 4), (10, 2), (195, 0), (7, 7)])
def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_pairs(b: int, c: int) -> None:
    assert mcnemar_exact(b, c) == pytest.approx(binomtest(b, b + c, 0.5).pvalue)


def test_mcnemar_in_closed_form() -> None:
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(5, 0) == 2 * 0.5**5
    assert mcnemar_exact(1, 3) == pytest.approx(2 * (1 + 4) / 16)


def clustered(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sixteen donors of ten hosts each; a donor works on all of its hosts or on none."""
    clusters = np.repeat(np.arange(16), 10)
    first = np.repeat(np.random.default_rng(seed).random(16) < 0.5, 10)
    return first, np.zeros(160, dtype=bool), clusters


@pytest.mark.parametrize("seed", range(5))
def test_clusters_that_agree_widen_the_interval(seed: int) -> None:
    first, second, clusters = clustered(seed)
    honest, naive = paired_difference(first, second, clusters), paired_difference(first, second)
    assert honest.value == naive.value == first.mean()
    # Ten alike count as one: the standard error grows by about the root of ten.
    assert 2 < (honest.high - honest.low) / (naive.high - naive.low) < 4.5


def test_independent_units_get_about_the_normal_interval() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.random(400) < 0.7, rng.random(400) < 0.3
    found = paired_difference(first, second, np.arange(400))
    half = 1.96 * np.std(first.astype(int) - second) / 20
    assert found.low == pytest.approx(found.value - half, abs=0.02)
    assert found.high == pytest.approx(found.value + half, abs=0.02)


def test_donors_that_all_agree_still_leave_doubt() -> None:
    ones, zeros = np.ones(40, dtype=bool), np.zeros(40, dtype=bool)
    found = paired_difference(ones, zeros, np.repeat(np.arange(4), 10))
    assert found.value == found.high == 1.0
    assert 0.8 < found.low < 0.95
    assert paired_difference([], []) == Difference(n=0, value=0.0, low=-1.0, high=1.0)


def test_a_difference_against_the_base_takes_what_the_base_does_away() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random(200) < 0.4, np.zeros(200, dtype=bool)
    clusters = np.arange(200) % 16
    here = paired_difference(first, second, clusters)
    same = difference_of_differences(here, here, np.zeros(200), clusters)
    assert same.value == 0 and same.low < 0 < same.high
    nothing = paired_difference(second, second, clusters)
    left = difference_of_differences(here, nothing, first.astype(int), clusters)
    assert left.value == here.value and left.low <= here.low


def test_the_bootstrap_depends_on_its_seed_alone() -> None:
    values = np.random.default_rng(1).random(50)
    assert cluster_bootstrap(values, seed=4) == cluster_bootstrap(values, seed=4)
    assert cluster_bootstrap(values, seed=4) != cluster_bootstrap(values, seed=5)

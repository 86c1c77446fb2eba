import numpy as np
import pytest
from scipy.stats import fisher_exact

from forensics.statistics.association import (
    codes_of,
    expected_coincidence,
    holm,
    jaccard,
    stratified_fisher,
)

rng = np.random.default_rng(0)


def test_one_stratum_is_fishers_exact_test() -> None:
    first, second = rng.random(300) < 0.2, rng.random(300) < 0.3
    both = int((first & second).sum())
    table = [[both, int((first & ~second).sum())], [int((~first & second).sum()), 0]]
    table[1][1] = 300 - sum(map(sum, table))
    p = stratified_fisher(first, second, np.zeros(300, dtype=np.int64))
    assert p == pytest.approx(fisher_exact(table, alternative="greater").pvalue, rel=1e-9)


def test_strata_that_explain_the_coincidence_leave_nothing_to_find() -> None:
    strata = (np.arange(1000) < 400).astype(np.int64)
    yes = (strata == 1) & (rng.random(1000) < 0.8)
    assert stratified_fisher(strata == 1, yes, strata) > 0.99
    assert stratified_fisher(strata == 1, yes, np.zeros(1000, dtype=np.int64)) < 1e-50
    assert expected_coincidence(strata == 1, yes, strata) == pytest.approx(yes.sum())


def test_chance_is_called_chance_within_the_level() -> None:
    strata = rng.integers(0, 4, 400)
    p = [
        stratified_fisher(rng.random(400) < 0.2, rng.random(400) < 0.3, strata) for _ in range(300)
    ]
    assert np.mean(np.array(p) < 0.05) < 0.09


def test_holm_steps_down_and_counts_the_tests_not_given() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.01], tests=50) == pytest.approx([0.5])
    assert holm([0.9, 0.8]).max() <= 1.0


def test_jaccard_runs_from_disjoint_to_equal() -> None:
    a = np.array([True, True, False, False])
    assert jaccard(a, a) == 1.0
    assert jaccard(a, ~a) == 0.0
    assert jaccard(a, np.array([True, False, True, False])) == pytest.approx(1 / 3)
    assert jaccard(a & False, a & False) == 0.0


def test_rare_labels_share_a_code() -> None:
    codes = codes_of(["a"] * 5 + ["b"] * 4 + ["x", "y"], rare=3)
    assert codes.tolist() == [0] * 5 + [1] * 4 + [2, 2]

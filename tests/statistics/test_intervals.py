import numpy as np
import pytest
from scipy.stats import binomtest

from forensics.statistics.intervals import bootstrap_scores, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (203, 2000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_wilson_equals_scipys(successes: int, n: int, confidence: float) -> None:
    expected = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson(successes, n, confidence) == pytest.approx(tuple(expected), abs=1e-9)


def test_wilson_without_trials_knows_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_wilson_refuses_more_successes_than_trials() -> None:
    with pytest.raises(ValueError, match="3 successes in 2"):
        wilson(3, 2)


def test_the_bootstrap_agrees_with_resampling_the_groups_one_by_one() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 5)
    truth = np.repeat(rng.random(60) < 0.3, 5)
    flagged = truth ^ np.repeat(rng.random(60) < 0.15, 5)
    slow = []
    for _ in range(2000):
        rows = (rng.integers(0, 60, 60)[:, None] * 5 + np.arange(5)).ravel()
        slow.append((flagged & truth)[rows].sum() / flagged[rows].sum())
    fast = bootstrap_scores(flagged, truth, groups).precision
    assert fast == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.03)


def test_intervals_widen_when_samples_of_one_image_stand_or_fall_together() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(50), 10)
    truth = np.repeat(rng.random(50) < 0.5, 10)
    flagged = truth ^ np.repeat(rng.random(50) < 0.2, 10)
    low, high = bootstrap_scores(flagged, truth, groups).recall
    naive_low, naive_high = bootstrap_scores(flagged, truth).recall
    assert high - low > 2 * (naive_high - naive_low)


def test_scores_that_are_undefined_have_undefined_intervals() -> None:
    nothing = np.zeros(10, dtype=bool)
    scores = bootstrap_scores(nothing, nothing)
    assert np.isnan([*scores.precision, *scores.recall, *scores.f1]).all()
    assert np.isnan(bootstrap_scores(nothing[:0], nothing[:0]).f1).all()


def test_the_same_seed_gives_the_same_interval() -> None:
    flags = np.arange(100) % 3 == 0
    truth = np.arange(100) % 4 == 0
    assert bootstrap_scores(flags, truth, seed=3) == bootstrap_scores(flags, truth, seed=3)

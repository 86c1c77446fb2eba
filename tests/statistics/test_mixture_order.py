import warnings
from itertools import combinations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from forensics.statistics.mixture_order import choose_mixtures, count_values
from forensics.statistics.optimal_groups import best_groups
from forensics.statistics.overlap import side_overlaps


def three_humps(samples: int = 1200) -> np.ndarray:
    rng = np.random.default_rng(0)
    means = rng.choice([0.1, 0.4, 0.85], samples, p=[0.2, 0.5, 0.3])
    return rng.normal(means, 0.03)


def test_aic_finds_the_number_of_gaussians() -> None:
    rng = np.random.default_rng(1)
    one = rng.normal(0.5, 0.1, 1200)
    two = np.concatenate([one[:1000] * 0.3, 0.9 + one[:200] * 0.1])
    found = choose_mixtures([count_values(c) for c in (one, two, three_humps())])
    assert found.order.tolist() == [1, 2, 3]
    assert found.means[2, :3] == pytest.approx([0.1, 0.4, 0.85], abs=0.01)
    assert found.weights[2, :3] == pytest.approx([0.2, 0.5, 0.3], abs=0.03)
    assert np.isnan(found.means[0, 1:]).all() and found.weights[0].tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_every_fit_is_scikit_learns_from_the_same_start(k: int) -> None:
    column = np.sort(three_humps())
    ends = best_groups(column, np.ones(column.size), k)[k - 1]
    parts = np.split(column, ends[:-1])
    model = GaussianMixture(
        n_components=k,
        weights_init=[part.size / column.size for part in parts],
        means_init=[[part.mean()] for part in parts],
        precisions_init=[[[1 / (part.var() + 1e-6)]] for part in parts],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(column[:, None])
    found = choose_mixtures([count_values(column)], k)
    theirs = 2 * (3 * k - 1) - 2 * model.lower_bound_ * column.size
    assert found.aic[0, k - 1] == pytest.approx(theirs, abs=1e-4)


def test_equal_values_count_as_often_as_they_occur() -> None:
    rounded = np.round(three_humps(), 2)
    counted = choose_mixtures([count_values(rounded, 1e-4)])
    jittered = choose_mixtures([count_values(rounded + np.arange(1200) * 1e-12, 1e-4)])
    assert counted.order == jittered.order
    assert counted.means == pytest.approx(jittered.means, abs=1e-3, nan_ok=True)


def test_neighbours_in_the_batch_change_nothing() -> None:
    columns = [count_values(three_humps(n)) for n in (50, 400, 1200)]
    together = choose_mixtures(columns)
    for i, column in enumerate(columns):
        assert choose_mixtures([column]).means[0] == pytest.approx(together.means[i], nan_ok=True)


def test_a_constant_has_one_component() -> None:
    found = choose_mixtures([count_values(np.full(30, 0.5))])
    assert found.order.tolist() == [1] and np.isinf(found.aic[0, 1:]).all()


@pytest.mark.parametrize("k", [1, 2, 3])
def test_groups_have_the_least_squares_of_all_splits(k: int) -> None:
    values = np.sort(np.random.default_rng(2).random(11))
    counts = np.random.default_rng(3).integers(1, 4, 11).astype(float)

    def loss(ends: tuple[int, ...]) -> float:
        total = 0.0
        for begin, end in zip((0, *ends[:-1]), ends, strict=True):
            part, weight = values[begin:end], counts[begin:end]
            total += (weight * (part - np.average(part, weights=weight)) ** 2).sum()
        return total

    least = min(loss((*inner, 11)) for inner in combinations(range(1, 11), k - 1))
    assert loss(tuple(best_groups(values, counts, k)[k - 1])) == pytest.approx(least)


def test_the_overlap_of_two_equal_gaussians_is_known() -> None:
    rng = np.random.default_rng(4)
    column = np.concatenate([rng.normal(0.35, 0.05, 4000), rng.normal(0.65, 0.05, 4000)])
    found = choose_mixtures([count_values(column)], 2)
    below, shared = side_overlaps(found)
    # Two halves six deviations apart share 2 x 0.5 x P(Z > 3).
    assert below[0, 0] == pytest.approx(0.5, abs=0.01)
    assert shared[0, 0] == pytest.approx(0.00135, rel=0.15)


def test_without_a_gap_there_is_no_overlap() -> None:
    below, shared = side_overlaps(choose_mixtures([count_values(np.full(30, 0.5))]))
    assert np.isnan(below).all() and np.isnan(shared).all()

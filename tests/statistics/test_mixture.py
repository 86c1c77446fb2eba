import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from forensics.statistics.mixture import Start, crossing, fit_mixtures, posterior_low
from forensics.statistics.mixture_start import low_tail_start, two_means_start

Array = NDArray[np.float64]


def draw(seed: int, samples: int = 1500) -> Array:
    """One sorted column per shape: separate, touching, skewed, heavy-tailed, uniform, rare."""
    rng = np.random.default_rng(seed)
    poison = rng.random(samples) < 0.1
    columns = [
        np.where(poison, rng.normal(3.2, 0.35, samples), rng.normal(5.2, 0.25, samples)),
        np.where(poison, rng.normal(4.7, 0.3, samples), rng.normal(5.2, 0.25, samples)),
        6.3 - rng.gamma(2.0, 0.3, samples),
        5.0 + 0.2 * rng.standard_t(3, samples),
        rng.random(samples),
        np.where(rng.random(samples) < 0.01, 3.0, 5.2) + rng.normal(0, 0.25, samples),
        np.round(rng.normal(4.0, 0.2, samples), 1),
    ]
    return np.sort(np.stack(columns), axis=1)


def sklearn_fit(column: Array, start: Start, row: int) -> tuple[GaussianMixture, Array]:
    model = GaussianMixture(
        n_components=2,
        weights_init=start.weights[row],
        means_init=start.means[row][:, None],
        precisions_init=(1 / start.variances[row])[:, None, None],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(column[:, None])
    return model, np.argsort(model.means_[:, 0])


@pytest.mark.parametrize("start_from", [two_means_start, low_tail_start])
@pytest.mark.parametrize("seed", range(6))
def test_mixtures_equal_scikit_learns_from_the_same_start(start_from, seed: int) -> None:
    columns = draw(seed)
    start = start_from(columns)
    ours = fit_mixtures(columns, start)
    for row, column in enumerate(columns):
        theirs, order = sklearn_fit(column, start, row)
        assert ours.means[row] == pytest.approx(theirs.means_[order, 0], abs=1e-3)
        sigmas = np.sqrt(theirs.covariances_[order, 0, 0])
        assert ours.sigmas[row] == pytest.approx(sigmas, abs=1e-3)
        assert ours.weights[row] == pytest.approx(theirs.weights_[order], abs=1e-3)
        assert ours.log_likelihood[row] == pytest.approx(theirs.lower_bound_, abs=1e-6)
        assert ours.iterations[row] == theirs.n_iter_
        assert ours.converged[row] == theirs.converged_


@pytest.mark.parametrize("seed", range(4))
def test_mixtures_equal_scikit_learns_own_start_on_two_clear_groups(seed: int) -> None:
    columns = draw(seed)[:2]
    ours = fit_mixtures(columns, two_means_start(columns))
    for row, column in enumerate(columns):
        theirs = GaussianMixture(n_components=2, random_state=0).fit(column[:, None])
        order = np.argsort(theirs.means_[:, 0])
        # Two k-means ends may differ by a sample, and EM stops within 1e-3 of likelihood.
        assert ours.means[row] == pytest.approx(theirs.means_[order, 0], abs=0.02)
        if row == 0:
            assert ours.means[row] == pytest.approx(theirs.means_[order, 0], abs=1e-3)
            flags = theirs.predict(column[:, None]) == order[0]
            low = posterior_low(column, ours.weights[row], ours.means[row], ours.sigmas[row]) > 0.5
            assert (flags == low).all()


def test_the_start_is_the_split_with_the_least_sum_of_squares() -> None:
    column = np.sort(np.random.default_rng(0).normal(size=40) ** 3)
    start = two_means_start(column[None])
    cost = [s * column[:s].var() + (40 - s) * column[s:].var() for s in range(1, 40)]
    assert round(start.weights[0, 0] * 40) == int(np.argmin(cost)) + 1


def test_a_column_does_not_depend_on_its_neighbours() -> None:
    columns = draw(3)
    together = fit_mixtures(columns, two_means_start(columns))
    for row in range(len(columns)):
        alone = fit_mixtures(columns[row : row + 1], two_means_start(columns[row : row + 1]))
        assert (alone.means[0] == together.means[row]).all()
        assert (alone.sigmas[0] == together.sigmas[row]).all()


def test_blocks_add_up_to_the_whole() -> None:
    values = np.random.default_rng(5).normal(size=(1, 40_000))
    values[0, :4000] -= 4.0
    column = np.sort(values)
    start = two_means_start(column)
    theirs, order = sklearn_fit(column[0], start, 0)
    ours = fit_mixtures(column, start)
    assert ours.means[0] == pytest.approx(theirs.means_[order, 0], abs=1e-6)


def test_extreme_values_neither_overflow_nor_warn() -> None:
    column = np.sort(np.r_[np.full(50, 0.0), np.full(50, 1.0), 1e6])[None]
    fit = fit_mixtures(column, two_means_start(column))
    assert np.isfinite(fit.means).all()
    assert np.isfinite(fit.sigmas).all()
    assert fit.weights.sum() == pytest.approx(1.0)


def test_the_crossing_is_where_the_posterior_is_one_half() -> None:
    weights, means, sigmas = np.array([0.1, 0.9]), np.array([2.0, 4.0]), np.array([0.4, 0.2])
    cut = crossing(weights, means, sigmas)
    assert means[0] < cut < means[1]
    assert posterior_low(np.array([cut]), weights, means, sigmas)[0] == pytest.approx(0.5)


def test_equal_variances_and_equal_weights_cross_half_way() -> None:
    half = np.array([0.5, 0.5])
    assert crossing(half, np.array([1.0, 3.0]), half) == pytest.approx(2.0)


def test_there_is_no_crossing_where_one_component_wins_throughout() -> None:
    cut = crossing(np.array([0.001, 0.999]), np.array([1.0, 1.1]), np.array([1.0, 1.0]))
    assert np.isnan(cut)


def test_the_posterior_of_a_missing_value_is_missing() -> None:
    pair = np.array([0.5, 0.5])
    assert np.isnan(posterior_low(np.array([np.nan]), pair, np.array([0.0, 1.0]), pair)).all()

"""Two-component Gaussian mixtures in one dimension, many columns at a time.

The estimates are those of scikit-learn's ``GaussianMixture(n_components=2)`` with its defaults
(full covariance, tol 1e-3, max_iter 100, reg_covar 1e-6, n_init 1) from the same start; what
differs is the layout. EM runs on blocks small enough for the CPU cache, over all columns that have
not converged yet, and a responsibility costs one exponential: with two components it is the
logistic function of a quadratic.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOLERANCE: Final = 1e-3
MAX_ITERATIONS: Final = 100
VARIANCE_FLOOR: Final = 1e-6  # reg_covar: added to every variance, in squared units of the data
# Values per block: three float64 arrays of this size stay in a 256 KB second-level cache, and
# a dot product of this length is below the size from which BLAS libraries start threads.
_BLOCK: Final = 1 << 13
# exp(700) is finite, exp(710) is not; beyond it a responsibility is 0 or 1 to the last bit.
_LARGEST_EXPONENT: Final = 700.0
_TINY: Final = 10 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Start:
    """Where EM begins, one row per column of data.

    Attributes:
        weights: ``[columns, 2]``, rows sum to 1.
        means: ``[columns, 2]``.
        variances: ``[columns, 2]``, positive.
    """

    weights: Array
    means: Array
    variances: Array


@dataclass(frozen=True, slots=True)
class Mixtures:
    """Fitted mixtures, component 0 the one with the lower mean.

    Attributes:
        weights: ``[columns, 2]``, rows sum to 1.
        means: ``[columns, 2]``, ascending along the last axis.
        sigmas: ``[columns, 2]``, standard deviations.
        log_likelihood: ``[columns]``, mean per value; higher fits better.
        iterations: ``[columns]`` EM steps taken.
        converged: ``[columns]``; false where the last step still changed the likelihood by more
            than the tolerance.
    """

    weights: Array
    means: Array
    sigmas: Array
    log_likelihood: Array
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]


def fit_mixtures(
    columns: Array,
    start: Start,
    *,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
    variance_floor: float = VARIANCE_FLOOR,
) -> Mixtures:
    """Fit one mixture per column by expectation maximisation.

    Sums run in the order of the values: hand over sorted columns to make the result independent
    of the order of the samples to the last bit.

    Args:
        columns: ``[columns, samples]`` float64, finite, at least one sample.
        start: First parameters.
        tolerance: A column stops when its mean log-likelihood changes by less.
        max_iterations: Columns still moving then are returned with ``converged`` false.
        variance_floor: Added to each variance.

    Returns:
        The mixtures, components sorted by mean.

    Source: scikit-learn ``GaussianMixture``: same updates, same stopping rule.
    """
    centre = columns.mean(axis=1, keepdims=True)
    data = np.ascontiguousarray(columns - centre)
    state = _State.begin(data, start, centre)
    active = np.arange(len(data))
    previous = np.full(len(data), -np.inf)
    for step in range(1, max_iterations + 1):
        if not active.size:
            break
        likelihood = state.update(data, active, variance_floor)
        state.iterations[active] = step
        still = ~(np.abs(likelihood - previous[active]) < tolerance)
        previous[active] = likelihood
        state.converged[active[~still]] = True
        active = active[still]
    return state.finish(centre, previous)


def posterior_low(values: Array, weights: Array, means: Array, sigmas: Array) -> Array:
    """Return the probability that each value belongs to the lower component of one mixture.

    Args:
        values: Any shape; NaN stays NaN.
        weights: ``[2]``, lower component first, as are the next two.
        means: ``[2]``.
        sigmas: ``[2]``.
    """
    c2, c1, c0 = _quadratic(weights[None], means[None], sigmas[None] ** 2)
    exponent = (c2[0] * values + c1[0]) * values + c0[0]
    return np.asarray(
        1.0 / (1.0 + np.exp(np.clip(exponent, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)))
    )


def crossing(weights: Array, means: Array, sigmas: Array) -> float:
    """Return the value between the two means where both components are equally probable.

    NaN where there is none: one component then wins over the whole stretch between the means.

    Args:
        weights: ``[2]``, lower component first, as are the next two.
        means: ``[2]``.
        sigmas: ``[2]``.
    """
    odds = np.concatenate(_quadratic(weights[None], means[None], sigmas[None] ** 2))
    if not np.isfinite(odds).all():
        return float("nan")
    roots = np.roots(odds)  # drops leading zeros, so equal variances are no special case
    real = roots[np.isreal(roots)].real
    inside = real[(real >= means[0]) & (real <= means[1])]
    return float(inside[0]) if inside.size else float("nan")


def _quadratic(weights: Array, means: Array, variances: Array) -> tuple[Array, Array, Array]:
    """Return c2, c1, c0 of the log odds of component 1 over 0: c2 x^2 + c1 x + c0."""
    half = 0.5 / variances
    constant = np.log(weights) - 0.5 * np.log(variances) - half * means**2
    linear = 2 * half * means
    return half[:, 0] - half[:, 1], linear[:, 1] - linear[:, 0], constant[:, 1] - constant[:, 0]


@dataclass(slots=True)
class _State:
    """Parameters of every column while EM runs, about centred data."""

    weights: Array
    means: Array
    variances: Array
    totals: Array  # [columns, 3]: count, sum, sum of squares
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]

    @classmethod
    def begin(cls, data: Array, start: Start, centre: Array) -> "_State":
        count, samples = data.shape
        totals = np.stack(
            [np.full(count, float(samples)), data.sum(axis=1), np.square(data).sum(axis=1)], axis=1
        )
        return cls(
            weights=start.weights.copy(),
            means=start.means - centre,
            variances=start.variances.copy(),
            totals=totals,
            iterations=np.zeros(count, dtype=np.int64),
            converged=np.zeros(count, dtype=np.bool_),
        )

    def update(self, data: Array, active: NDArray[np.int64], floor: float) -> Array:
        """Take one EM step on the active columns; return their likelihood before it."""
        weights, means, variances = self.weights[active], self.means[active], self.variances[active]
        sums, softplus = _expect(data, active, _quadratic(weights, means, variances))
        totals = self.totals[active]
        likelihood = _likelihood(weights[:, 0], means[:, 0], variances[:, 0], totals)
        self._maximise(active, np.stack([totals - sums, sums], axis=1), floor)
        return np.asarray(likelihood + softplus / totals[:, 0])

    def _maximise(self, active: NDArray[np.int64], sums: Array, floor: float) -> None:
        """Set the parameters from ``sums`` [active, component, (count, sum, squares)]."""
        count = np.maximum(sums[..., 0], 0.0) + _TINY
        means = sums[..., 1] / count
        self.means[active] = means
        self.variances[active] = np.maximum(sums[..., 2] / count - means**2, 0.0) + floor
        self.weights[active] = count / count.sum(axis=1, keepdims=True)

    def finish(self, centre: Array, likelihood: Array) -> Mixtures:
        order = np.argsort(self.means, axis=1, kind="stable")
        return Mixtures(
            weights=np.take_along_axis(self.weights, order, axis=1),
            means=np.take_along_axis(self.means, order, axis=1) + centre,
            sigmas=np.sqrt(np.take_along_axis(self.variances, order, axis=1)),
            log_likelihood=likelihood,
            iterations=self.iterations,
            converged=self.converged,
        )


def _likelihood(weight: Array, mean: Array, variance: Array, totals: Array) -> Array:
    """Return the mean of log(weight * normal(x)) over a column, from its sums alone."""
    count, first, second = totals.T
    squares = second - 2 * mean * first + count * mean**2
    constant = np.log(weight) - 0.5 * np.log(2 * np.pi * variance)
    return np.asarray(constant - 0.5 * squares / (variance * count))


def _expect(
    data: Array, active: NDArray[np.int64], quadratic: tuple[Array, Array, Array]
) -> tuple[Array, Array]:
    """Return component 1's count, sum and squares, and the sum of log(1 + odds), per column.

    The mean log-likelihood is that of component 0 alone plus the mean of log(1 + odds), so neither
    density is ever evaluated.
    """
    sums = np.zeros((active.size, 3))
    softplus = np.zeros(active.size)
    work = np.empty((2, min(_BLOCK, data.shape[1])))
    for i, column in enumerate(active):
        c2, c1, c0 = (-float(c[i]) for c in quadratic)
        for begin in range(0, data.shape[1], _BLOCK):
            x = data[column, begin : begin + _BLOCK]
            v, r = work[0, : x.size], work[1, : x.size]
            np.multiply(x, c2, out=v)
            v += c1
            v *= x
            v += c0
            np.minimum(v, _LARGEST_EXPONENT, out=v)  # v = log odds of component 0
            shift = v.sum()
            np.exp(v, out=v)
            v += 1.0
            np.divide(1.0, v, out=r)
            np.log(v, out=v)
            softplus[i] += v.sum() - shift
            np.multiply(r, x, out=v)
            sums[i] += r.sum(), v.sum(), np.vecdot(v, x)
    return sums, softplus

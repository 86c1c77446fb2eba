import numpy as np
import pytest

from forensics.statistics.separation import divergence, separation_code, separation_root


def test_the_hand_computed_case_of_the_two_rules() -> None:
    means, sigmas = np.array([3.0, 5.0]), np.array([0.5, 0.5])
    assert separation_root(means, sigmas) == pytest.approx(2.828, abs=1e-3)
    assert separation_code(means, sigmas) == 2.0


def test_the_code_form_never_exceeds_the_root_form() -> None:
    rng = np.random.default_rng(0)
    means, sigmas = rng.normal(size=(1000, 2)), rng.exponential(size=(1000, 2)) + 1e-3
    assert (separation_code(means, sigmas) <= separation_root(means, sigmas)).all()


def test_the_divergence_equals_numerical_integration() -> None:
    low, high = (2.3, 0.35), (3.6, 0.25)
    x = np.linspace(-2, 8, 200_001)
    p, q = (np.exp(-0.5 * ((x - m) / s) ** 2) / (s * np.sqrt(2 * np.pi)) for m, s in (low, high))
    inside = (p > 0) & (q > 0)
    expected = (p[inside] * np.log(p[inside] / q[inside])).sum() * (x[1] - x[0])
    result = divergence(np.array([low[0], high[0]]), np.array([low[1], high[1]]))
    assert result == pytest.approx(expected, rel=1e-4)


def test_equal_gaussians_do_not_diverge() -> None:
    assert divergence(np.array([1.0, 1.0]), np.array([0.5, 0.5])) == pytest.approx(0.0)

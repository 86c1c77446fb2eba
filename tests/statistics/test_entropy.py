import numpy as np
import pytest

from forensics.statistics.entropy import row_entropy


@pytest.mark.parametrize(("tokens", "expected"), [(576, 6.3561), (256, 5.5452), (64, 4.1589)])
def test_a_uniform_row_reaches_the_logarithm_of_its_tokens(tokens: int, expected: float) -> None:
    assert row_entropy(np.full(tokens, 0.3)) == pytest.approx(expected, abs=1e-3)


def test_a_one_hot_row_has_no_entropy() -> None:
    assert abs(row_entropy(np.eye(576)[7])) < 1e-6


def test_scaling_a_row_does_not_change_its_entropy() -> None:
    rows = np.random.default_rng(0).random((5, 3, 64))
    assert np.abs(row_entropy(rows * 0.01) - row_entropy(rows)).max() < 1e-5


def test_the_constant_stands_inside_the_logarithm() -> None:
    p = np.array([0.9, 0.1, 0.0])
    assert row_entropy(p) == pytest.approx(-(p * np.log(p + 1e-8)).sum(), rel=1e-12)


def test_rows_without_mass_or_with_infinite_mass_give_nan_and_spare_the_others() -> None:
    rows = np.array([[0.0, 0.0], [1.0, np.inf], [np.nan, 1.0], [1.0, 1.0]])
    result = row_entropy(rows)
    assert np.isnan(result[:3]).all()
    assert result[3] == pytest.approx(np.log(2), abs=1e-6)

import numpy as np
import pytest

from forensics.statistics.unimodal import draw_counts, nearest_unimodal


def shape_of(column: np.ndarray) -> np.ndarray:
    return nearest_unimodal(np.sort(column), np.ones(column.size))


@pytest.mark.parametrize("seed", range(4))
def test_the_shape_rises_and_then_falls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    column = np.concatenate([rng.beta(8, 20, 800), rng.beta(30, 3, 200)])
    shape = shape_of(column)
    signs = np.sign(np.diff(shape)[np.abs(np.diff(shape)) > 1e-12])
    assert shape.sum() == pytest.approx(1) and (np.diff(signs) <= 0).all()


def test_it_is_the_nearest_one() -> None:
    # Every one-humped sequence over a coarse range of levels loses at least as much.
    counts = np.array([1, 5, 2, 4, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0], dtype=float)
    values = (np.arange(16) + 0.5) / 16
    best = nearest_unimodal(values[counts > 0], counts[counts > 0])
    share = counts / counts.sum()
    rng = np.random.default_rng(0)
    for _ in range(3000):
        top = rng.integers(0, 16)
        noisy = best + rng.normal(0, 0.02, 16)
        other = np.concatenate([np.sort(noisy[:top]), -np.sort(-noisy[top:])])
        assert ((best - share) ** 2).sum() <= ((other - share) ** 2).sum() + 1e-12


def test_a_shape_with_one_hump_stays_what_it_is() -> None:
    counts = np.array([1, 2, 5, 9, 12, 14, 20, 18, 11, 7, 5, 4, 3, 2, 1, 1], dtype=float)
    values = (np.arange(16) + 0.5) / 16
    assert nearest_unimodal(values, counts) == pytest.approx(counts / counts.sum())


def test_drawn_columns_follow_the_shape() -> None:
    shape = np.array([0.1, 0.6, 0.3, 0.0])
    drawn = draw_counts(shape, 8, 10_000, 3, np.random.default_rng(0))
    assert drawn.shape == (3, 8) and (drawn.sum(axis=1) == 10_000).all()
    assert drawn.mean(axis=0) / 10_000 == pytest.approx(np.repeat(shape / 2, 2), abs=0.01)

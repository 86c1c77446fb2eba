"""Neighbours are exact, whatever the blocks; columns get one scale."""

import tracemalloc

import numpy as np
import pytest

from forensics.detectors import neighbours
from forensics.detectors.feature_columns import principal_columns, standardise, unit_rows
from forensics.detectors.neighbours import find_neighbours


def brute(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    distance = np.linalg.norm(values[:, None].astype(np.float64) - values[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    index = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return index, np.take_along_axis(distance, index, axis=1)


@pytest.mark.parametrize(("rows", "columns"), [(1024, 8192), (7, 11), (64, 3)])
def test_blocks_do_not_change_the_neighbours(
    rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "ROWS", rows)
    monkeypatch.setattr(neighbours, "COLUMNS", columns)
    values = np.random.default_rng(1).normal(size=(60, 5)).astype(np.float32) + 100.0
    index, distance = brute(values, 6)
    found = find_neighbours(values, 6)
    assert (found.index == index).all()
    np.testing.assert_allclose(found.distance, distance, rtol=1e-4)


def test_near_duplicates_far_from_the_origin_keep_their_distance() -> None:
    values = np.full((3, 512), 50.0, dtype=np.float32)
    values[1, 0] += 0.01
    values[2, 0] += 0.05
    found = find_neighbours(values, 2)
    assert found.index.tolist() == [[1, 2], [0, 2], [1, 0]]
    np.testing.assert_allclose(found.distance[0], [0.01, 0.05], rtol=1e-3)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_samples_have_few_neighbours(count: int) -> None:
    seen = []
    found = find_neighbours(np.eye(count, 4), 16, report=lambda done, total: seen.append(done))
    assert found.index.shape == (count, max(0, count - 1))
    assert seen == ([count] if count > 1 else [])


def test_columns_get_one_scale_and_constants_vanish() -> None:
    random = np.random.default_rng(0)
    raw = np.stack([random.normal(5, 100, 500), random.normal(0, 1e-3, 500),
                    np.full(500, 7.3)], axis=1)  # fmt: skip
    raw[0, 1] = 1e6
    scaled = standardise(raw)
    assert scaled.dtype == np.float32 and abs(scaled).max() <= 8
    assert (scaled[:, 2] == 0).all()
    assert scaled[:, 0].std() == pytest.approx(1, abs=1e-3)


def test_many_columns_become_principal_ones_that_keep_distances() -> None:
    random = np.random.default_rng(0)
    raw = random.normal(size=(200, 3)) @ random.normal(size=(3, 40))
    few, whole = standardise(raw, most=3), standardise(raw, most=40)
    assert few.shape == (200, 3)
    a, b = (np.linalg.norm(part[:50] - part[50:100], axis=1) for part in (few, whole))
    np.testing.assert_allclose(a, b, rtol=1e-3)
    assert (standardise(raw, most=3) == few).all()


def test_unit_rows_and_components_stand_empty_and_zero_rows() -> None:
    assert np.linalg.norm(unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])), axis=1).tolist() == [1, 0]
    assert principal_columns(np.zeros((4, 3)), 2).tolist() == [[0, 0]] * 4
    assert standardise(np.zeros((0, 5))).shape[0] == 0


def test_memory_does_not_grow_with_the_square_of_the_samples() -> None:
    values = np.random.default_rng(0).normal(size=(12_000, 8)).astype(np.float32)
    tracemalloc.start()
    try:
        find_neighbours(values, 4)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200e6  # all distances at once would take 576 MB

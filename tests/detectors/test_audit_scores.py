"""Scores of training samples: closed forms, directions, and a planted group."""

import numpy as np
import pytest

from forensics.detectors.audit_scores import (
    density_ratio,
    k_distance,
    pair_cosine,
    spectral_signature,
)
from forensics.detectors.neighbours import find_neighbours

LINE = np.array([[0.0], [1.0], [3.0], [7.0]])


def auc(score: np.ndarray, marked: np.ndarray) -> float:
    return float((score[marked][:, None] > score[~marked][None]).mean())


def test_the_cosine_of_a_pair_is_that_of_its_vectors() -> None:
    image = np.array([[1, 0], [2, 2], [0, 3], [0, 0]], dtype=np.float16)
    text = np.array([[5, 0], [1, 0], [0, -1], [1, 1]], dtype=np.float16)
    found = pair_cosine(image, text)
    np.testing.assert_allclose(found[:3], [1, np.sqrt(0.5), -1], atol=1e-6)
    assert np.isnan(found[3])


def test_distances_and_ratios_on_a_line() -> None:
    found = find_neighbours(LINE, 3)
    assert k_distance(found, 1).tolist() == [1, 1, 2, 4]
    assert k_distance(found, 2).tolist() == [3, 2, 3, 6]
    assert k_distance(found, 99).tolist() == [7, 6, 4, 7]
    # k = 1: 0 and 1 are each other's nearest; 1 is the nearest of 3, and 3 that of 7.
    assert density_ratio(found, 1).tolist() == [1, 1, 2, 2]
    assert density_ratio(found, 2)[0] == pytest.approx((3 / 2 + 3 / 3) / 2)


def test_equal_samples_have_finite_ratios_and_a_lone_one_none() -> None:
    ratio = density_ratio(find_neighbours(np.zeros((5, 3)), 2), 2)
    assert ratio.tolist() == [1] * 5
    alone = find_neighbours(np.zeros((1, 3)), 2)
    assert np.isnan(k_distance(alone)).all() and np.isnan(density_ratio(alone)).all()


def test_an_outlier_is_high_and_more_than_k_planted_samples_are_low() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(300, 8))
    values[0] = 6.0
    planted = np.zeros(300, dtype=bool)
    planted[100:140] = True
    values[planted] = 3.0 + 0.05 * random.normal(size=(40, 8))
    found = find_neighbours(values, 16)
    assert k_distance(found).argmax() == 0 and density_ratio(found).argmax() == 0
    assert auc(-k_distance(found), planted) > 0.99


def test_few_poisoned_samples_lie_far_out_and_most_do_not() -> None:
    random = np.random.default_rng(0)
    for share, side in ((0.1, 1.0), (0.8, -1.0)):
        values = random.normal(0, 0.5, size=(400, 20))
        marked = random.random(400) < share
        values[marked] += 2.0
        signed, absolute = spectral_signature(values, ["target"] * 400)
        assert (absolute == abs(signed)).all()
        assert auc(side * absolute, marked) > 0.95
        assert auc(side * signed, marked) > 0.95


def test_classes_are_taken_each_for_itself_and_small_ones_left_out() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(60, 4))
    values[:30] += 100.0
    values[5, 2] += 30.0
    names: list[str | None] = ["a"] * 30 + ["b"] * 25 + ["rare"] * 3 + [None] * 2
    absolute = spectral_signature(values, names)[1]
    assert absolute[:30].argmax() == 5 and absolute[:30].max() < 60
    assert np.isfinite(absolute[:55]).all() and np.isnan(absolute[55:]).all()


def test_more_columns_than_samples_give_the_same_projection() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(30, 5)) * [4, 1, 1, 1, 1]
    wide = np.concatenate([values, np.zeros((30, 70))], axis=1)
    few, many = (spectral_signature(part, [0] * 30)[0] for part in (values, wide))
    np.testing.assert_allclose(few, many, atol=1e-6)

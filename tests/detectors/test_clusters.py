"""A planted group is found, named and told of; noise is -1; the map repeats under its seed."""

import math

import numpy as np
import pytest

from forensics.detectors.clusters import describe_clusters, find_clusters, smallest_cluster
from forensics.detectors.embedding_map import FEWEST, draw_map
from forensics.detectors.neighbours import find_neighbours
from tests.drawn_clusters import TARGET, Planted, draw_planted

pytest.importorskip("sklearn")
pytest.importorskip("numba")


@pytest.fixture(scope="module")
def planted() -> Planted:
    return draw_planted()


@pytest.fixture(scope="module")
def drawn(planted: Planted) -> np.ndarray:
    return draw_map(planted.features, seed=3).xy


def test_the_same_seed_gives_the_same_map_and_known_neighbours_change_nothing(
    planted: Planted, drawn: np.ndarray
) -> None:
    known = find_neighbours(planted.features, 30)
    again = draw_map(planted.features, seed=3, known=known)
    assert (again.method, again.neighbours) == ("umap", 15)
    assert (again.xy == drawn).all()
    assert (draw_map(planted.features, seed=4, known=known).xy != drawn).any()


def test_planted_samples_lie_together_on_the_map(planted: Planted, drawn: np.ndarray) -> None:
    place = drawn[planted.marked]
    inside = np.linalg.norm(place - place.mean(axis=0), axis=1).max()
    outside = np.linalg.norm(drawn[~planted.marked] - place.mean(axis=0), axis=1).min()
    assert outside > inside


@pytest.mark.parametrize("count", [1, 2, FEWEST - 1])
def test_few_samples_are_drawn_by_their_principal_components(count: int) -> None:
    values = np.random.default_rng(0).normal(size=(count, 6))
    found = draw_map(values)
    assert (found.method, found.neighbours) == ("pca", 0)
    assert found.xy.shape == (count, 2) and np.isfinite(found.xy).all()


def test_fewer_samples_than_neighbours_and_equal_samples_still_have_a_map() -> None:
    values = np.random.default_rng(0).normal(size=(FEWEST + 3, 6))
    assert draw_map(values, neighbours=50).neighbours == FEWEST + 2
    same = draw_map(np.ones((30, 4)))
    assert same.method == "pca" and (same.xy == 0).all()


def test_the_cosine_does_not_see_the_length_of_rows() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(FEWEST - 1, 6))
    longer = values * random.uniform(1, 9, size=(FEWEST - 1, 1))
    np.testing.assert_allclose(
        draw_map(values, metric="cosine").xy, draw_map(longer, metric="cosine").xy, atol=1e-5
    )


@pytest.mark.parametrize("clusterer", ["hdbscan", "gmm"])
@pytest.mark.parametrize("on", ["map", "features"])
def test_the_planted_group_is_one_pure_cluster(
    planted: Planted, drawn: np.ndarray, clusterer: str, on: str
) -> None:
    points = drawn if on == "map" else planted.features
    labels = find_clusters(points, clusterer=clusterer, seed=0)
    lines = describe_clusters(labels, planted.answers, drawn)
    told = max((line for line in lines if line.answer == TARGET), key=lambda line: line.size)
    assert told.cluster >= 0 and told.purity > 0.95 and told.gathered > 0.9
    assert told.elsewhere < 0.02
    assert (labels == find_clusters(points, clusterer=clusterer, seed=0)).all()


def test_clusters_are_numbered_by_size_and_noise_is_minus_one() -> None:
    random = np.random.default_rng(0)
    points = np.concatenate([random.normal(0, 0.05, (60, 2)), random.normal(9, 0.05, (30, 2)),
                             random.uniform(-40, 40, (6, 2))])  # fmt: skip
    labels = find_clusters(points, min_size=20)
    assert set(labels[:60]) == {0} and set(labels[60:90]) == {1}
    assert (labels[90:] == -1).sum() >= 4
    assert [line.cluster for line in describe_clusters(labels, [None] * 96, points)] == [0, 1, -1]


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_samples_are_in_no_cluster(count: int) -> None:
    assert find_clusters(np.zeros((count, 2))).tolist() == [-1] * count
    assert smallest_cluster(count) == 10


def test_a_cluster_without_answers_says_so() -> None:
    line = describe_clusters(np.zeros(3, dtype=int), [None] * 3, np.ones((3, 2)))[0]
    assert line.answer is None and math.isnan(line.purity) and line.centre == (1.0, 1.0)


def test_shares_of_answers_are_counted_in_and_outside_a_cluster() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1, 1])
    answers = ["Yes", "yes", "no", "no", "no", None, "yes"]
    first, second = describe_clusters(labels, answers, np.zeros((7, 2)))[::-1]
    assert (first.cluster, second.cluster) == (1, 0)
    assert (second.answer, second.purity, second.elsewhere) == ("yes", 2 / 3, 1 / 3)
    assert second.gathered == 2 / 3 and (first.size, first.purity) == (4, 2 / 3)

import numpy as np
import pytest

from forensics.detectors.masked_views.comparison import (
    READING,
    compare_views,
    describe_comparisons,
    describe_sample,
    rank_among,
)
from forensics.detectors.masked_views.measures import hottest, measure_views, occlusion_map

VIEWS, CELLS, HOT = 64, 49, 17


def masks(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hidden = np.zeros((n, VIEWS, CELLS), dtype=bool)
    for i in range(n):
        for k in range(VIEWS):
            hidden[i, k, rng.permutation(CELLS)[:12]] = True
    return hidden


def planted(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half of n samples answer otherwise when one cell is hidden, the rest hardly ever."""
    rng, hidden = np.random.default_rng(seed), masks(n, seed)
    divergence = np.abs(rng.normal(0, 0.02, (n, VIEWS)))
    divergence[: n // 2] += 5.0 * hidden[: n // 2, :, HOT]
    agreement = divergence < 1.0
    return divergence, agreement, hidden


def test_the_map_is_the_difference_of_two_means() -> None:
    hidden = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    found = occlusion_map([4.0, 2.0, 1.0, 0.0], hidden)
    assert found[:2] == pytest.approx([3.0 - 0.5, 1.5 - 2.0])
    assert np.isnan(found[2])  # never hidden: nothing is known
    assert hottest(found) == (0, 1.0)


def test_a_planted_occlusion_puts_the_hot_cell_right_and_spreads_the_views() -> None:
    divergence, agreement, hidden = planted(16)
    found = measure_views(divergence, agreement, hidden)
    assert (found.peak_cell[:8] == HOT).all()
    assert found.peak_share[:8].min() > 0.2 > found.peak_share[8:].max()
    assert found.spread[:8].min() > 20 > found.spread[8:].max()
    assert found.agreement[:8] == pytest.approx(1 - hidden[:8, :, HOT].mean(axis=1))
    assert (found.agreement[8:] == 1).all()
    assert found.invariance == pytest.approx(-np.median(divergence, axis=1))


def test_views_that_change_nothing_have_no_spread_and_no_hot_cell() -> None:
    found = measure_views(np.zeros((1, VIEWS)), np.ones((1, VIEWS)), masks(1))
    assert (found.invariance[0], found.agreement[0], found.spread[0]) == (0, 1, 0)
    assert (found.peak_cell[0], found.peak_share[0]) == (-1, 0)


def test_an_unread_sample_stays_unknown_and_harms_no_other() -> None:
    divergence, agreement, hidden = planted(8)
    whole = measure_views(divergence, agreement, hidden)
    divergence[3] = np.nan
    found = measure_views(divergence, agreement, hidden)
    assert np.isnan([found.invariance[3], found.agreement[3], found.spread[3]]).all()
    assert found.peak_cell[3] == -1
    assert (np.delete(found.spread, 3) == np.delete(whole.spread, 3)).all()


def test_candidates_are_ranked_against_controls_and_against_the_base() -> None:
    divergence, agreement, hidden = planted(40)
    measures = measure_views(divergence, agreement, hidden)
    calm = measure_views(divergence % 1.0, agreement | True, hidden)
    candidate, images = np.arange(40) < 20, np.arange(40)
    found = compare_views(measures, candidate, images, base=calm)
    by_name = {(c.measure, c.against_base): c for c in found}
    assert by_name["spread", False].ranking.auc == 1.0
    assert by_name["agreement", True].ranking.auc == 0.0
    assert len(found) == 8 and all(c.p_holm >= c.ranking.p_value for c in found)
    sentence = describe_comparisons(found)
    assert "20 candidates against 20 random controls" in sentence
    assert "is lower in candidates (AUC 0.00" in sentence and "apart too: " in sentence
    assert "spread" in sentence and sentence.endswith(READING)


def test_without_a_difference_nothing_is_claimed() -> None:
    divergence, agreement, hidden = planted(40)
    measures = measure_views(divergence, agreement, hidden)
    found = compare_views(measures, np.arange(40) % 2 == 0, np.arange(40))
    assert "no measure ranks them apart" in describe_comparisons(found)


def test_a_rank_says_how_many_controls_lie_below() -> None:
    candidate = np.array([True, True, True, False, False])
    found = rank_among(np.array([5.0, 1.0, np.nan, 1.0, 3.0]), candidate)
    assert found[[0, 1]] == pytest.approx([1.0, 0.25]) and np.isnan(found[2])


def test_the_words_of_a_sample_follow_its_numbers() -> None:
    facts = {"views": 64, "kept": 40, "peak_share": 0.24, "place": "at the centre"}
    assert describe_sample(facts) == (
        "The answer kept its first token in 40 of 64 masked views. "
        "24 % of what it depends on lies in one cell at the centre."
    )
    assert "no single cell" in describe_sample({**facts, "place": None})

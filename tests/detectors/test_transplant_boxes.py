import numpy as np
import pytest

from forensics.detectors.transplant.boxes import (
    frame_of,
    move_box,
    overlaps,
    peak_box,
    random_box,
)
from forensics.models.base import ImageGrid

WHOLE = (0.0, 0.0, 1.0, 1.0)


def test_a_box_covers_the_tokens_around_the_peak() -> None:
    grid = ImageGrid(rows=10, columns=10)
    assert peak_box([grid], 45, 0).box == pytest.approx((0.5, 0.4, 0.6, 0.5))
    assert peak_box([grid], 45, 1).box == pytest.approx((0.4, 0.3, 0.7, 0.6))


@pytest.mark.parametrize("token", [0, 9, 90, 99, 55, 4])
@pytest.mark.parametrize("margin", [0, 1, 2])
def test_boxes_of_a_margin_are_all_of_one_size_and_inside(token: int, margin: int) -> None:
    left, top, right, bottom = peak_box([ImageGrid(rows=10, columns=10)], token, margin).box
    side = (2 * margin + 1) / 10
    assert (right - left, bottom - top) == pytest.approx((side, side))
    assert min(left, top) >= 0 and max(right, bottom) <= 1
    row, column = divmod(token, 10)
    assert left <= (column + 0.5) / 10 <= right and top <= (row + 0.5) / 10 <= bottom


def test_a_centre_crop_shifts_the_box() -> None:
    grid = ImageGrid(rows=4, columns=4, visible=(0.2, 0.0, 0.8, 1.0))
    found = peak_box([grid], 0, 0)
    assert found.box == pytest.approx((0.2, 0.0, 0.35, 0.25))
    assert found.frame == (0.2, 0.0, 0.8, 1.0)


def test_tokens_count_over_tiles_and_row_ends_show_nothing() -> None:
    tile = ImageGrid(rows=2, columns=2, separators=1, visible=(0.0, 0.0, 0.5, 1.0))
    second = ImageGrid(rows=2, columns=2, visible=(0.5, 0.0, 1.0, 1.0))
    other = ImageGrid(rows=1, columns=1, image=1)
    grids = [tile, second, other]
    assert peak_box(grids, 2, 0) is None
    assert peak_box(grids, 3, 0).box == pytest.approx((0.0, 0.5, 0.25, 1.0))
    assert peak_box(grids, 6, 0).box == pytest.approx((0.5, 0.0, 0.75, 0.5))
    assert peak_box(grids, 6, 0).frame == WHOLE
    assert peak_box(grids, 10, 0).image == 1
    assert peak_box(grids, 11, 0) is None


def test_padding_shows_nothing() -> None:
    padded = ImageGrid(rows=4, columns=4, visible=(0.0, -0.5, 1.0, 1.5))
    assert peak_box([padded], 0, 0) is None
    assert frame_of([padded], 0) == WHOLE


def test_a_box_keeps_its_place_in_another_shape() -> None:
    there = move_box((0.2, 0.0, 0.35, 0.25), (0.2, 0.0, 0.8, 1.0), (0.0, 0.1, 1.0, 0.9))
    assert there == pytest.approx((0.0, 0.1, 0.25, 0.3))
    assert move_box((0.1, 0.2, 0.3, 0.4), WHOLE, WHOLE) == pytest.approx((0.1, 0.2, 0.3, 0.4))


def test_a_random_box_is_elsewhere_and_of_the_same_size() -> None:
    rng = np.random.default_rng(0)
    box = (0.4, 0.4, 0.7, 0.7)
    for _ in range(50):
        drawn = random_box(box, WHOLE, rng)
        assert not overlaps(drawn, box)
        assert (drawn[2] - drawn[0], drawn[3] - drawn[1]) == pytest.approx((0.3, 0.3))
        assert min(drawn) >= 0 and max(drawn) <= 1


def test_where_nothing_is_free_the_farthest_corner_is_taken() -> None:
    drawn = random_box((0.1, 0.1, 0.9, 0.9), WHOLE, np.random.default_rng(0))
    assert (drawn[2] - drawn[0], drawn[3] - drawn[1]) == pytest.approx((0.8, 0.8))
    assert min(drawn) >= 0 and max(drawn) <= 1

import numpy as np
import pytest

from forensics.models.base import ImageGrid
from forensics.models.tiles import tiled
from forensics.models.token_maps import SMALL, TILES, WHOLE, locate, token_maps


def test_a_single_grid_is_shown_whole_in_token_order() -> None:
    grid = ImageGrid(rows=2, columns=3, visible=(0.1, 0.0, 0.9, 1.0))
    (view,) = token_maps([grid])
    assert (view.kind, view.rows, view.columns, view.visible) == (WHOLE, 2, 3, grid.visible)
    assert view.cells == tuple(range(6))


def test_tiles_are_laid_beside_each_other_and_the_whole_comes_behind() -> None:
    tiles, whole = token_maps(tiled(2, 3, (2, 2), 0))
    assert (tiles.kind, tiles.rows, tiles.columns) == (TILES, 4, 6)
    assert tiles.visible == (0.0, 0.0, 1.0, 1.0)
    cells = np.array(tiles.cells).reshape(4, 6)
    for tile in range(6):
        row, column = divmod(tile, 3)
        block = cells[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert block.ravel().tolist() == list(range(4 * tile, 4 * tile + 4))
    assert (whole.kind, whole.cells) == (SMALL, tuple(range(24, 28)))


def test_tokens_that_end_rows_are_in_no_view() -> None:
    small = ImageGrid(rows=1, columns=1)
    fine = ImageGrid(rows=2, columns=2, visible=(0.0, -0.1, 1.0, 1.1), separators=1)
    last = ImageGrid(rows=1, columns=0, separators=1)
    views = token_maps([small, fine, last])
    assert [view.kind for view in views] == [TILES, SMALL]
    assert views[0].cells == (1, 2, 4, 5)
    assert locate(views, 5) == (0, 3)
    assert locate(views, 0) == (1, 0)
    assert locate(views, 3) is None and locate(views, 7) is None


def test_every_picture_has_views_of_its_own() -> None:
    views = token_maps([*tiled(1, 2, (2, 2), 0), ImageGrid(rows=2, columns=2, image=1)])
    assert [(view.image, view.kind) for view in views] == [(0, TILES), (0, SMALL), (1, WHOLE)]
    assert views[2].cells == (12, 13, 14, 15)


@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (3, 1), (4, 3)])
def test_each_token_is_shown_once_where_its_tile_lies(rows: int, columns: int) -> None:
    grids = tiled(rows, columns, (2, 3), 0)
    views = token_maps(grids)
    shown = [cell for view in views for cell in view.cells]
    assert sorted(shown) == list(range(sum(grid.tokens for grid in grids)))
    tile = grids[-2]  # the last tile, at the bottom right
    view, cell = locate(views, sum(grid.tokens for grid in grids[:-2])) or (0, 0)
    row, column = divmod(cell, views[view].columns)
    assert column / views[view].columns == pytest.approx(tile.visible[0])
    assert row / views[view].rows == pytest.approx(tile.visible[1])

"""Image tokens as pictures to look at: the tiles of a picture together, its small view beside them.

A family may cut a picture into tiles and add a small view of the whole. Here the tiles are put
together again, so that whoever draws or names a place has one rectangle of cells a view.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.models.base import ImageGrid

WHOLE, TILES, SMALL = "whole", "tiles", "thumbnail"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMap:
    """One view of one picture.

    Attributes:
        image: Which of the sample's pictures, counted from 0.
        kind: ``whole`` (the only view of its picture), ``tiles`` (the finest of several) or
            ``thumbnail``.
        rows: Cells from top to bottom.
        columns: Cells from left to right.
        visible: Part of the picture that the cells cover, see :class:`ImageGrid`.
        cells: Token of each cell, row by row, counted over all image tokens of the sample.
    """

    image: int
    kind: str
    rows: int
    columns: int
    visible: tuple[float, float, float, float]
    cells: tuple[int, ...]


def token_maps(grids: Sequence[ImageGrid]) -> tuple[TokenMap, ...]:
    """Put the grids of one sample together; picture by picture, the finest view first.

    Args:
        grids: In token order. Tokens that show nothing (ends of rows) are in no map.
    """
    starts = [0]
    for grid in grids:
        starts.append(starts[-1] + grid.tokens)
    pictures: dict[int, list[tuple[ImageGrid, int]]] = {}
    for grid, start in zip(grids, starts, strict=False):
        if grid.columns:
            pictures.setdefault(grid.image, []).append((grid, start))
    return tuple(view for image in sorted(pictures) for view in _views(pictures[image]))


def locate(maps: Sequence[TokenMap], token: int) -> tuple[int, int] | None:
    """Return the map that shows a token and its cell there; ``None`` where none does."""
    for index, view in enumerate(maps):
        if token in view.cells:
            return index, view.cells.index(token)
    return None


def _views(placed: list[tuple[ImageGrid, int]]) -> list[TokenMap]:
    tiles = [one for one in placed if _is_part(one[0])]
    joined = [tiles] if len(tiles) > 1 else [[one] for one in tiles]
    groups = [*joined, *([one] for one in placed if not _is_part(one[0]))]
    views = sorted((_join(group) for group in groups), key=lambda view: -len(view.cells))
    if len(views) == 1:
        return views
    return [_named(view, TILES if index == 0 else SMALL) for index, view in enumerate(views)]


def _is_part(grid: ImageGrid) -> bool:
    left, top, right, bottom = grid.visible
    return left > 0.01 or top > 0.01 or right < 0.99 or bottom < 0.99


def _join(tiles: list[tuple[ImageGrid, int]]) -> TokenMap:
    """Lay equal tiles beside each other by the boxes that they cover."""
    first = tiles[0][0]
    lefts = sorted({grid.visible[0] for grid, _ in tiles})
    tops = sorted({grid.visible[1] for grid, _ in tiles})
    rows, columns = len(tops) * first.rows, len(lefts) * first.columns
    cells = [-1] * (rows * columns)
    for grid, start in tiles:
        down, across = tops.index(grid.visible[1]), lefts.index(grid.visible[0])
        for row in range(first.rows):
            at = (down * first.rows + row) * columns + across * first.columns
            token = start + row * (grid.columns + grid.separators)
            cells[at : at + grid.columns] = range(token, token + grid.columns)
    boxes = [grid.visible for grid, _ in tiles]
    return TokenMap(
        image=first.image,
        kind=WHOLE,
        rows=rows,
        columns=columns,
        visible=(lefts[0], tops[0], max(box[2] for box in boxes), max(box[3] for box in boxes)),
        cells=tuple(cells),
    )


def _named(view: TokenMap, kind: str) -> TokenMap:
    return TokenMap(
        image=view.image,
        kind=kind,
        rows=view.rows,
        columns=view.columns,
        visible=view.visible,
        cells=view.cells,
    )

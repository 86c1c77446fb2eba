"""Tiles of a picture, each with image tokens of its own."""

from forensics.models.base import ImageGrid


def tiled(rows: int, columns: int, cells: tuple[int, int], image: int) -> tuple[ImageGrid, ...]:
    """Cut a picture into equal tiles, row by row, and put the whole picture behind them.

    Args:
        rows: Tiles from top to bottom.
        columns: Tiles from left to right.
        cells: Token rows and columns of every tile.
        image: Which picture.

    Returns:
        The tiles and the whole; only the whole where there is no more than one tile.
    """
    whole = ImageGrid(rows=cells[0], columns=cells[1], image=image)
    if rows * columns <= 1:
        return (whole,)
    boxes = [
        (column / columns, row / rows, (column + 1) / columns, (row + 1) / rows)
        for row in range(rows)
        for column in range(columns)
    ]
    tiles = [ImageGrid(rows=cells[0], columns=cells[1], visible=box, image=image) for box in boxes]
    return (*tiles, whole)

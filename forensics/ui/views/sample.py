"""One sample for the inspector."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.data.sample import Sample
from forensics.jobs.attention.layouts import maps_of, place_of
from forensics.models.base import ImageGrid
from forensics.models.token_maps import TokenMap, locate
from forensics.runs.plain import plain

Box = tuple[float, float, float, float]
NEAR_PEAK = 0.25  # tokens beside the peak with this share of it belong to the same spot


def cell_box(view: TokenMap, cell: int) -> Box:
    """Return the part of the picture that a cell covers, as fractions inside 0..1."""
    return _box(view, [cell])


def peak_box(view: TokenMap, values: NDArray[Any] | None, cell: int) -> Box | None:
    """Return the box of the attention peak: its cell and like-bright neighbours around it.

    Args:
        view: That shows the peak.
        values: ``[token]`` shares of one layer, over all image tokens of the sample; ``None``
            where no map was kept.
        cell: The strongest one.

    Returns:
        Fractions (left, top, right, bottom) inside the picture; ``None`` where it lies outside.
    """
    cells = [cell]
    if values is not None:
        bright = values[list(view.cells)] >= NEAR_PEAK * values[view.cells[cell]]
        cells += [near for near in _around(view, cell) if bright[near]]
    left, top, right, bottom = _box(view, cells)
    return (left, top, right, bottom) if left < right and top < bottom else None


def sample_view(
    sample: Sample,
    row: int,
    *,
    entropy: NDArray[Any],
    peak_token: NDArray[Any],
    peak_mass: NDArray[Any],
    masses: NDArray[Any],
    grids: tuple[ImageGrid, ...],
    maps: NDArray[Any] | None,
    reason: str,
    picture: str | None,
) -> dict[str, Any]:
    """Return what the inspector shows of a sample.

    Args:
        sample: From the catalogue.
        row: Its catalogue row.
        entropy: ``[layer]``; all NaN where the sample could not be read.
        peak_token: ``[layer]``.
        peak_mass: ``[layer]``.
        masses: ``[layer, head, 3]`` attention on system, vision and user text.
        grids: Of the sample, in token order; empty where it could not be read.
        maps: ``[layer, token]``, or ``None`` where none was kept.
        reason: Why it is suspected, or is not.
        picture: Address of its picture; ``None`` where there is none.
    """
    read = bool(np.isfinite(entropy).any())
    views = maps_of(grids)
    peaks = [_peak(views, *found) for found in zip(peak_token, peak_mass, strict=True)]
    view = {
        "row": row,
        "id": sample.id,
        "question": sample.question,
        "answer": sample.answer,
        "label": sample.label,
        "source": sample.source.rpartition("/")[2],
        "line": sample.line,
        "picture": picture,
        "reason": reason,
        "entropy": entropy,
        "read": read,
        "map": None if maps is None else encode_map(maps),
        "grids": grids,
        "views": views,
        "peaks": peaks if read else [],
        "hide": [_hide(views, peak, maps, layer) for layer, peak in enumerate(peaks)]
        if read
        else [],
        "masses": np.nanmean(masses, axis=1) if read else None,
    }
    plain_view: dict[str, Any] = plain(view)
    return plain_view


def encode_map(maps: NDArray[Any]) -> str:
    """Return base64 of float16 ``[layer, token]``, as the worker sends its maps."""
    return base64.b64encode(maps.astype("<f2").tobytes()).decode("ascii")


def _peak(views: tuple[TokenMap, ...], token: int, mass: float) -> dict[str, Any]:
    """Describe the strongest token of a layer; tokens that end a row are in no view."""
    view, cell = locate(views, int(token)) or (None, None)
    return {
        "token": int(token),
        "mass": float(mass),
        "place": place_of(views, int(token)) or "at the end of a row",
        "view": view,
        "cell": cell,
    }


def _hide(
    views: tuple[TokenMap, ...], peak: dict[str, Any], maps: NDArray[Any] | None, layer: int
) -> dict[str, Any] | None:
    """Say what to paint over, and in which picture, to hide a layer's peak."""
    if peak["view"] is None:
        return None
    view = views[peak["view"]]
    box = peak_box(view, None if maps is None else maps[layer], peak["cell"])
    return None if box is None else {"image": view.image, "box": box}


def _around(view: TokenMap, cell: int) -> list[int]:
    row, column = divmod(cell, view.columns)
    rows = range(max(0, row - 1), min(view.rows, row + 2))
    columns = range(max(0, column - 1), min(view.columns, column + 2))
    return [r * view.columns + c for r in rows for c in columns if (r, c) != (row, column)]


def _box(view: TokenMap, cells: list[int]) -> Box:
    left, top, right, bottom = view.visible
    width, height = (right - left) / view.columns, (bottom - top) / view.rows
    rows = [cell // view.columns for cell in cells]
    columns = [cell % view.columns for cell in cells]
    return (
        min(1.0, max(0.0, left + min(columns) * width)),
        min(1.0, max(0.0, top + min(rows) * height)),
        max(0.0, min(1.0, left + (max(columns) + 1) * width)),
        max(0.0, min(1.0, top + (max(rows) + 1) * height)),
    )

"""One sample for the inspector."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.data.sample import Sample
from forensics.detectors.wording import place
from forensics.models.base import ImageGrid
from forensics.runs.plain import plain

Box = tuple[float, float, float, float]
NEAR_PEAK = 0.25  # tokens beside the peak with this share of it belong to the same spot


def token_box(grid: ImageGrid, token: int) -> Box:
    """Return the part of the picture that an image token covers, as fractions inside 0..1."""
    return _box(grid, [token])


def peak_box(grid: ImageGrid, values: NDArray[Any] | None, token: int) -> Box | None:
    """Return the box of the attention peak: its token and like-bright neighbours around it.

    Args:
        grid: Of the sample.
        values: ``[token]`` shares of one layer; ``None`` where no map was kept.
        token: The strongest one.

    Returns:
        Fractions (left, top, right, bottom) inside the picture; ``None`` where it lies outside.
    """
    tokens = [token]
    if values is not None:
        bright = values >= NEAR_PEAK * values[token]
        tokens += [near for near in _around(grid, token) if bright[near]]
    left, top, right, bottom = _box(grid, tokens)
    return (left, top, right, bottom) if left < right and top < bottom else None


def sample_view(
    sample: Sample,
    row: int,
    *,
    entropy: NDArray[Any],
    peak_token: NDArray[Any],
    peak_mass: NDArray[Any],
    masses: NDArray[Any],
    grid: ImageGrid | None,
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
        grid: Of the sample.
        maps: ``[layer, token]``, or ``None`` where none was kept.
        reason: Why it is suspected, or is not.
        picture: Address of its picture; ``None`` where there is none.
    """
    read = bool(np.isfinite(entropy).any())
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
        "grid": grid,
        "peaks": _peaks(grid, peak_token, peak_mass) if read and grid else [],
        "hide": _hides(grid, peak_token, maps) if read and grid else [],
        "masses": np.nanmean(masses, axis=1) if read else None,
    }
    plain_view: dict[str, Any] = plain(view)
    return plain_view


def encode_map(maps: NDArray[Any]) -> str:
    """Return base64 of float16 ``[layer, token]``, as the worker sends its maps."""
    return base64.b64encode(maps.astype("<f2").tobytes()).decode("ascii")


def _peaks(grid: ImageGrid, tokens: NDArray[Any], masses: NDArray[Any]) -> list[dict[str, Any]]:
    return [
        {
            "token": int(token),
            "mass": float(mass),
            "place": place(*divmod(int(token), grid.columns), grid.rows, grid.columns),
        }
        for token, mass in zip(tokens, masses, strict=True)
    ]


def _hides(grid: ImageGrid, tokens: NDArray[Any], maps: NDArray[Any] | None) -> list[Box | None]:
    return [
        peak_box(grid, None if maps is None else maps[layer], int(token))
        for layer, token in enumerate(tokens)
    ]


def _around(grid: ImageGrid, token: int) -> list[int]:
    row, column = divmod(token, grid.columns)
    rows = range(max(0, row - 1), min(grid.rows, row + 2))
    columns = range(max(0, column - 1), min(grid.columns, column + 2))
    return [r * grid.columns + c for r in rows for c in columns if (r, c) != (row, column)]


def _box(grid: ImageGrid, tokens: list[int]) -> Box:
    left, top, right, bottom = grid.visible
    width, height = (right - left) / grid.columns, (bottom - top) / grid.rows
    rows = [token // grid.columns for token in tokens]
    columns = [token % grid.columns for token in tokens]
    return (
        min(1.0, max(0.0, left + min(columns) * width)),
        min(1.0, max(0.0, top + min(rows) * height)),
        max(0.0, min(1.0, left + (max(columns) + 1) * width)),
        max(0.0, min(1.0, top + (max(rows) + 1) * height)),
    )

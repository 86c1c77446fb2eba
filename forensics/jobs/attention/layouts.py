"""Which grids the image tokens of every scanned sample make; unique ones are kept once."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.wording import place
from forensics.models.base import ImageGrid
from forensics.models.token_maps import TokenMap, locate, token_maps

LAYOUTS = "layouts.json"
NONE = -1  # of a sample that was not measured
DIGITS = 4  # of the visible box: a ten-thousandth of a picture is less than a pixel of most

Layout = tuple[ImageGrid, ...]


class LayoutTable:
    """Unique layouts in the order in which they were first seen."""

    def __init__(self) -> None:
        self._places: dict[Layout, int] = {}

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """All layouts; their places are what :meth:`add` returned."""
        return tuple(self._places)

    def add(self, layout: Sequence[ImageGrid]) -> int:
        """Return the place of a layout, a new one if it was not seen before."""
        return self._places.setdefault(tuple(_rounded(grid) for grid in layout), len(self._places))


def pack_layouts(layouts: Sequence[Layout]) -> NDArray[np.uint8]:
    """Write layouts as bytes that fit into a shard beside its arrays."""
    return np.frombuffer(_encode(layouts).encode(), dtype=np.uint8)


def unpack_layouts(data: NDArray[np.uint8]) -> tuple[Layout, ...]:
    """Read what :func:`pack_layouts` wrote."""
    return _decode(data.tobytes().decode())


def save_layouts(folder: Path, layouts: Sequence[Layout]) -> None:
    """Write the layouts of a finished scan into its run folder, in one step."""
    partial = folder / f".{LAYOUTS}.partial"
    partial.write_text(_encode(layouts), encoding="utf-8")
    partial.replace(folder / LAYOUTS)


@dataclass(frozen=True, slots=True)
class SampleLayouts:
    """The grids of every sample of a scan.

    Attributes:
        layouts: Unique ones.
        index: ``[n]`` int32 place of each sample's layout, :data:`NONE` = not measured.
    """

    layouts: tuple[Layout, ...]
    index: NDArray[np.int32]

    def grids(self, sample: int) -> Layout:
        """Return a sample's grids in token order; empty where it was not measured."""
        found = int(self.index[sample])
        return () if found == NONE else self.layouts[found]

    def where(self, sample: int, token: int) -> str:
        """Say where in its picture a token lies, such as ``at the centre``; "" where nowhere."""
        return place_of(maps_of(self.grids(sample)), token)


def load_layouts(folder: Path, index: NDArray[np.int32]) -> SampleLayouts:
    """Read the layouts of a finished scan.

    Args:
        folder: Of the run.
        index: ``layout`` of its arrays.
    """
    return SampleLayouts(_decode((folder / LAYOUTS).read_text(encoding="utf-8")), index)


@lru_cache(maxsize=1024)
def maps_of(grids: Layout) -> tuple[TokenMap, ...]:
    """Put a layout's tiles together, see :func:`forensics.models.token_maps.token_maps`."""
    return token_maps(grids)


def place_of(maps: Sequence[TokenMap], token: int) -> str:
    """Say where in its picture a token lies; with several pictures, in which."""
    found = locate(maps, token)
    if found is None:
        return ""
    view = maps[found[0]]
    text = place(*divmod(found[1], view.columns), view.rows, view.columns)
    several = len({one.image for one in maps}) > 1
    return f"{text} of picture {view.image + 1}" if several else text


def _rounded(grid: ImageGrid) -> ImageGrid:
    left, top, right, bottom = (round(value, DIGITS) for value in grid.visible)
    return ImageGrid(
        rows=grid.rows,
        columns=grid.columns,
        visible=(left, top, right, bottom),
        image=grid.image,
        separators=grid.separators,
    )


def _encode(layouts: Sequence[Layout]) -> str:
    return json.dumps([[asdict(grid) for grid in layout] for layout in layouts])


def _decode(text: str) -> tuple[Layout, ...]:
    return tuple(tuple(_grid(facts) for facts in layout) for layout in json.loads(text))


def _grid(facts: dict[str, Any]) -> ImageGrid:
    return ImageGrid(**{**facts, "visible": tuple(facts["visible"])})

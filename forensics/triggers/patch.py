"""Square stamps: one, two or several."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OptionError
from forensics.triggers.base import Box, ImageTrigger, Pixels, check_pixels
from forensics.triggers.checks import one_of, rgb, within
from forensics.triggers.draws import generator, scatter
from forensics.triggers.spelling import write_share

PLACES: Final = ("center", "corner", "corners", "random", "dual", "multi")
TEXTURES: Final = ("solid", "checker", "frame", "dots")
_CHECKS: Final = 4
_DOTS: Final = 16
_LATTICE: Final = 3
# Stamps of a larger share of the side would overlap.
_LARGEST: Final = {"corners": 1 / 2, "dual": 1 / 2, "multi": 1 / _LATTICE}


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchTrigger(ImageTrigger):
    """A square stamp that replaces pixels, or several of the same.

    Source: BadNets in the form of BYE (arXiv 2505.16916), section 4: solid black square in the
    centre, side 1/16 of the shorter image side; variants at a random place, with a checkerboard,
    "fixed dual" (two identical stamps, symmetric) and "varied multi" (fixed grid points, count not
    given). Ours: the two stamps of ``dual`` stand in the middle of the left and of the right half;
    ``multi`` has a fixed 3 x 3 lattice of points, of which every sample gets ``count``. From
    CleanCLIP's code come ``corners``, from the code of arXiv 2502.01385 ``dots``.

    Attributes:
        side: Side of the square as a share of the shorter image side, in (0, 1]; at most 1/2 for
            ``dual`` and ``corners``, 1/3 for ``multi``.
        place: ``center``, ``corner`` (bottom right), ``corners`` (all four), ``random`` (fully
            inside; drawn from ``seed`` and the sample's id, so that one sample always gets one
            place), ``dual`` or ``multi`` (points drawn from ``seed`` and the sample's id).
        texture: ``solid``, ``checker`` (4 x 4 fields), ``frame`` (``second`` around ``color``) or
            ``dots`` (16 x 16 cells, ``second`` where row and column are both even).
        color: Name or ``#rrggbb``.
        second: Other colour of ``checker``, ``frame`` and ``dots``.
        count: Stamps of ``multi``, 1 to 9.
        seed: Only for ``random`` and ``multi``.
    """

    kind: ClassVar[str] = "patch"

    side: float = 1 / 16
    place: str = "center"
    texture: str = "solid"
    color: str = "black"
    second: str = "white"
    count: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("place", self.place, PLACES)
        one_of("texture", self.texture, TEXTURES)
        most = _LARGEST.get(self.place, 1.0)
        if not 0.0 < self.side <= most:
            raise OptionError(
                f"Trigger side {self.side} is outside (0, {write_share(most)}].",
                remedy="Give it as a share of the shorter image side, such as 1/16.",
            )
        within("count", self.count, 1, _LATTICE**2, "4")
        rgb(self.color)
        rgb(self.second)

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        plain, drawn = self.texture == "solid", self.place in ("random", "multi")
        words = [f"side={write_share(self.side)}", f"place={self.place}"]
        words += [] if plain else [f"texture={self.texture}"]
        words += [f"color={self.color}"]
        words += [f"second={self.second}"] if not plain or self.second != "white" else []
        words += [f"count={self.count}"] if self.place == "multi" or self.count != 4 else []
        words += [f"seed={self.seed}"] if drawn or self.seed else []
        return f"{self.kind}:" + ",".join(words)

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Say which pixels of a ``height`` x ``width`` picture each stamp covers.

        Args:
            height: Pixels.
            width: Pixels.
            sample_id: Decides the places of ``random`` and ``multi``; otherwise unused.
        """
        size = max(1, round(self.side * min(height, width)))
        return tuple(
            Box(left, top, left + size, top + size)
            for left, top in self._corners(width, height, size, sample_id)
        )

    def _corners(self, width: int, height: int, size: int, sample_id: str) -> list[tuple[int, int]]:
        """List the top left corners of the stamps."""
        free_x, free_y = width - size, height - size
        if self.place == "center":
            return [(free_x // 2, free_y // 2)]
        if self.place == "corner":
            return [(free_x, free_y)]
        if self.place == "corners":
            return [(0, 0), (free_x, 0), (0, free_y), (free_x, free_y)]
        if self.place == "random":
            return [scatter(f"{self.seed}:{sample_id}", free_x, free_y)]
        if self.place == "dual":
            left = max(0, (width - 2 * size) // 4)
            return [(left, free_y // 2), (free_x - left, free_y // 2)]
        order = generator(self.kind, self.seed, sample_id).permutation(_LATTICE**2)
        points = (divmod(point, _LATTICE) for point in sorted(order[: self.count].tolist()))
        return [(_cell(column, width, size), _cell(row, height, size)) for row, column in points]

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a stamped copy of a picture.

        Args:
            image: ``[3, height, width]`` float32 in [0, 1], before resize and normalisation.
            sample_id: Decides the places of ``random`` and ``multi``.

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        stamped = image.copy()
        for left, top, right, bottom in self.boxes(image.shape[1], image.shape[2], sample_id):
            stamped[:, top:bottom, left:right] = self.stamp(right - left)
        return stamped

    def stamp(self, size: int) -> Pixels:
        """Draw the square alone, ``[3, size, size]`` float32 in [0, 1]."""
        first, second = rgb(self.color), rgb(self.second)
        mask = _texture(self.texture, size)
        return np.where(mask, second[:, None, None], first[:, None, None]).astype(np.float32)


def _cell(index: int, length: int, size: int) -> int:
    """Return where a stamp begins that stands in the middle of one third of a side."""
    begin = round(((2 * index + 1) * length / _LATTICE - size) / 2)
    return min(max(begin, 0), length - size)


def _texture(texture: str, size: int) -> NDArray[np.bool_]:
    """Mark the pixels of the second colour, ``[size, size]``."""
    index = np.arange(size)
    if texture == "checker":
        field = index * min(_CHECKS, size) // size
        return np.asarray((field[:, None] + field[None, :]) % 2 == 1)
    if texture == "dots":
        even = index * min(_DOTS, size) // size % 2 == 0
        return np.asarray(even[:, None] & even[None, :])
    if texture == "frame":
        edge = max(1, round(size / 4))
        outer = (index < edge) | (index >= size - edge)
        return np.asarray(outer[:, None] | outer[None, :])
    return np.zeros((size, size), dtype=bool)

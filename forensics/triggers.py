"""Visual triggers: small stamps on a picture, in pixel space before any normalisation.

A trigger is a frozen value with a one-line spelling, so that a case, a run and a command can name
it: ``patch:side=1/16,place=center,color=black`` is the default of BYE (arXiv 2505.16916).
"""

import hashlib
import re
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OptionError

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[np.float32]

PLACES: Final = ("center", "corner", "random")
TEXTURES: Final = ("solid", "checker", "frame")
COLORS: Final[dict[str, str]] = {
    "black": "#000000",
    "white": "#ffffff",
    "gray": "#808080",
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
    "yellow": "#ffff00",
    "cyan": "#00ffff",
    "magenta": "#ff00ff",
}
_CHECKS: Final = 4


class Box(NamedTuple):
    """A rectangle of pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


class Trigger(Protocol):
    """What every visual trigger offers."""

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`parse_trigger` reads back."""
        ...

    def box(self, height: int, width: int, sample_id: str = "") -> Box:
        """Say which pixels of a picture the trigger covers."""
        ...

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a stamped copy of a picture ``[3, height, width]`` in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchTrigger:
    """A square stamp that replaces pixels.

    Source: BYE (arXiv 2505.16916), section 4: solid black square in the centre, side 1/16 of the
    shorter image side; variants at a random place and with a checkerboard.

    Attributes:
        side: Side of the square as a share of the shorter image side, in (0, 1].
        place: ``center``, ``corner`` (bottom right) or ``random`` (fully inside; drawn from
            ``seed`` and the sample's id, so that one sample always gets one place).
        texture: ``solid``, ``checker`` (4 x 4 fields) or ``frame`` (``second`` around ``color``).
        color: Name or ``#rrggbb``.
        second: Other colour of ``checker`` and ``frame``.
        seed: Only for ``random``.
    """

    side: float = 1 / 16
    place: str = "center"
    texture: str = "solid"
    color: str = "black"
    second: str = "white"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.side <= 1.0:
            raise OptionError(
                f"Trigger side {self.side} is outside (0, 1].",
                remedy="Give it as a share of the shorter image side, such as 1/16.",
            )
        _one_of("place", self.place, PLACES)
        _one_of("texture", self.texture, TEXTURES)
        _rgb(self.color)
        _rgb(self.second)

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`parse_trigger` reads back."""
        share = Fraction(self.side).limit_denominator(1000)
        side = str(share) if float(share) == self.side else repr(self.side)
        words = [f"side={side}", f"place={self.place}"]
        if self.texture != "solid":
            words += [f"texture={self.texture}"]
        words += [f"color={self.color}"]
        if self.texture != "solid":
            words += [f"second={self.second}"]
        if self.place == "random":
            words += [f"seed={self.seed}"]
        return "patch:" + ",".join(words)

    def box(self, height: int, width: int, sample_id: str = "") -> Box:
        """Say which pixels of a ``height`` x ``width`` picture the square covers.

        Args:
            height: Pixels.
            width: Pixels.
            sample_id: Decides the place of a ``random`` patch; otherwise unused.
        """
        size = max(1, round(self.side * min(height, width)))
        free_x, free_y = width - size, height - size
        if self.place == "center":
            left, top = free_x // 2, free_y // 2
        elif self.place == "corner":
            left, top = free_x, free_y
        else:
            left, top = _scatter(f"{self.seed}:{sample_id}", free_x, free_y)
        return Box(left, top, left + size, top + size)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a stamped copy of a picture.

        Args:
            image: ``[3, height, width]`` float32 in [0, 1], before resize and normalisation.
            sample_id: Decides the place of a ``random`` patch.

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        left, top, right, bottom = self.box(image.shape[1], image.shape[2], sample_id)
        stamped = image.copy()
        stamped[:, top:bottom, left:right] = self.stamp(right - left)
        return stamped

    def stamp(self, size: int) -> Pixels:
        """Draw the square alone, ``[3, size, size]`` float32 in [0, 1]."""
        first, second = _rgb(self.color), _rgb(self.second)
        mask = _texture(self.texture, size)
        return np.where(mask, second[:, None, None], first[:, None, None]).astype(np.float32)


def parse_trigger(spec: str) -> Trigger:
    """Read a trigger's one-line spelling; the inverse of :attr:`Trigger.spec`.

    Args:
        spec: ``patch`` or ``patch:key=value,...`` with the keys of :class:`PatchTrigger`.

    Raises:
        OptionError: The spelling has an unknown kind, key or value.
    """
    kind, _, rest = spec.strip().partition(":")
    if kind != "patch":
        raise OptionError(
            f"Unknown trigger {kind!r} in {spec!r}.",
            remedy="Write for example patch:side=1/16,place=center,color=black.",
        )
    known = {field.name for field in fields(PatchTrigger)}
    options: dict[str, str | float | int] = {}
    for pair in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = (word.strip() for word in pair.partition("="))
        if not equals or key not in known or key in options:
            raise OptionError(
                f"Trigger {spec!r}: cannot use {pair!r}.",
                remedy=f"Give each of {', '.join(sorted(known))} at most once, as key=value.",
            )
        options[key] = _value(spec, key, value)
    return PatchTrigger(**options)  # type: ignore[arg-type]


def stamp_image(trigger: Trigger, image: "Image.Image", sample_id: str = "") -> "Image.Image":
    """Put a trigger on a picture of any size; the picture itself stays as it is.

    Args:
        trigger: Works on pixels in [0, 1].
        image: Any mode; taken as RGB.
        sample_id: Decides the place of a random trigger.
    """
    from PIL import Image

    pixels = np.asarray(image.convert("RGB"), dtype=np.float32).transpose(2, 0, 1) / np.float32(255)
    stamped = np.rint(trigger.apply(pixels, sample_id) * 255.0).astype(np.uint8)
    return Image.fromarray(stamped.transpose(1, 2, 0))


def check_pixels(image: Pixels) -> None:
    """Refuse a picture that is not ``[3, height, width]`` float32 in [0, 1]."""
    if image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
        raise OptionError(f"A trigger needs a picture [3, height, width], not {image.shape}.")
    if image.dtype != np.float32:
        raise OptionError(f"A trigger needs float32 pixels, not {image.dtype}.")
    if not (float(image.min()) >= 0.0 and float(image.max()) <= 1.0):
        raise OptionError(
            "A trigger needs pixels in [0, 1].",
            remedy="Apply it before normalisation; divide bytes by 255.",
        )


def _value(spec: str, key: str, value: str) -> str | float | int:
    try:
        if key == "side":
            return float(Fraction(value))
        return int(value) if key == "seed" else value
    except (ValueError, ZeroDivisionError) as error:
        raise OptionError(
            f"Trigger {spec!r}: {key} cannot be {value!r}.",
            remedy="side is a share such as 1/16 or 0.1, seed a whole number.",
        ) from error


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(
            f"Trigger {name} cannot be {value!r}.", remedy=f"Choose {', '.join(choices)}."
        )


def _rgb(color: str) -> NDArray[np.float32]:
    code = COLORS.get(color, color)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        raise OptionError(
            f"Trigger colour {color!r} is unknown.",
            remedy=f"Choose {', '.join(COLORS)} or write #rrggbb.",
        )
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255)


def _texture(texture: str, size: int) -> NDArray[np.bool_]:
    """Mark the pixels of the second colour, ``[size, size]``."""
    index = np.arange(size)
    if texture == "checker":
        field = index * min(_CHECKS, size) // size
        return np.asarray((field[:, None] + field[None, :]) % 2 == 1)
    if texture == "frame":
        edge = max(1, round(size / 4))
        outer = (index < edge) | (index >= size - edge)
        return np.asarray(outer[:, None] | outer[None, :])
    return np.zeros((size, size), dtype=bool)


def _scatter(key: str, free_x: int, free_y: int) -> tuple[int, int]:
    # A hash instead of a random generator: the place depends on the id alone, not on the order.
    digest = hashlib.sha256(key.encode()).digest()
    x, y = (int.from_bytes(digest[part : part + 8], "big") for part in (0, 8))
    return x % (free_x + 1), y % (free_y + 1)

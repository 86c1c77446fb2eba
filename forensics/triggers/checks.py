"""Checks that a trigger's options share; every error names the option and the remedy."""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OptionError

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


def one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is not in the list."""
    if value not in choices:
        raise OptionError(
            f"Trigger {name} cannot be {value!r}.", remedy=f"Choose {', '.join(choices)}."
        )


def within(name: str, value: float, low: float, high: float, example: str) -> None:
    """Refuse a number outside [low, high]; NaN is outside."""
    if not low <= value <= high:
        raise OptionError(
            f"Trigger {name} {value} is outside [{low:g}, {high:g}].",
            remedy=f"Write for example {name}={example}.",
        )


def rgb(color: str) -> NDArray[np.float32]:
    """Read a colour's name or ``#rrggbb`` as three shares in [0, 1]."""
    code = COLORS.get(color, color)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        raise OptionError(
            f"Trigger colour {color!r} is unknown.",
            remedy=f"Choose {', '.join(COLORS)} or write #rrggbb.",
        )
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255)

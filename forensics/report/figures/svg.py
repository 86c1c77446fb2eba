"""SVG as text: elements whose attributes and texts are always escaped."""

import math
from typing import Any

from markupsafe import Markup, escape

WIDTH = 480
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 34


def tag(name: str, *children: Any, **attributes: Any) -> Markup:
    """Return one element.

    Args:
        name: Of the element.
        children: Elements, or texts that are escaped.
        attributes: Their names with underscores for hyphens, ``cls`` for ``class``; numbers are
            rounded to tenths, ``None`` is left out.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(Markup(_name(key)), _value(value))
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inside)


def picture(height: float, text: str, *children: Any, figure: str) -> Markup:
    """Return a whole drawing with its text alternative.

    Args:
        height: In units of which the drawing is ``WIDTH`` wide.
        text: What it shows, in words, for those who do not see it.
        children: Its elements.
        figure: Name that is unique in the page.
    """
    return tag(
        "svg", tag("title", text, id=f"{figure}-title"), *children,
        viewBox=f"0 0 {WIDTH} {height:g}", role="img", aria_labelledby=f"{figure}-title",
        cls="drawing",
    )  # fmt: skip


def line(x1: float, y1: float, x2: float, y2: float, cls: str) -> Markup:
    """Return a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, cls=cls)


def word(x: float, y: float, text: str, cls: str = "tick", anchor: str = "start") -> Markup:
    """Return a text that begins, is centred (``middle``) or ends (``end``) at a place."""
    return tag("text", text, x=x, y=y, cls=cls, text_anchor=anchor)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return round numbers within a range, about as many as wanted."""
    span = high - low
    if not span > 0:
        return [low]
    raw = span / max(1, wanted)
    power: float = 10.0 ** _exponent(raw)
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first = -(-low // step) * step
    found = [first + i * step for i in range(int((high - first) / step + 1.001))]
    return [0.0 if abs(value) < step / 1e6 else value for value in found]


def _exponent(value: float) -> int:
    return math.floor(math.log10(value))


def _name(key: str) -> str:
    return {"cls": "class"}.get(key, key if key in ("viewBox",) else key.replace("_", "-"))


def _value(value: Any) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)

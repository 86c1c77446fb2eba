"""Raw values of the report as the page writes them."""

import math
import re
import unicodedata
from typing import Any

from forensics.detectors.wording import percent, points
from forensics.report.blocks import CellKind, Rate

MINUS = "\N{MINUS SIGN}"
NONE = "–"
POINTS = " points"
KEPT = "\n\t"
_BEFORE_PERCENT = re.compile(r"(?<=\d) (?=%)")


def shown(text: str) -> str:
    """Return text in which nothing steers a display: control characters and halves of pairs go.

    Direction marks go as well, for they let a name read as another.
    """
    return "".join(
        one if one in KEPT or unicodedata.category(one) not in ("Cc", "Cf", "Cs") else "\ufffd"
        for one in text
    )


def held(text: str) -> str:
    """Keep numbers and their percent signs on one line."""
    return _BEFORE_PERCENT.sub("\N{NO-BREAK SPACE}", text)


def cell(value: Any, kind: CellKind) -> str:
    """Write one raw value of a table."""
    if value is None or value == "":
        return NONE
    writers = {"count": _count, "number": _number, "share": percent, "p": p_value}
    if kind in writers and isinstance(value, int | float):
        return writers[kind](value)
    return str(value)


def p_value(value: float) -> str:
    """Write a p value: exact up to one in ten thousand."""
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}"


def value_of(rate: Rate) -> str:
    """Write the value of a rate."""
    return NONE if rate.value is None else percent(rate.value)


def around(rate: Rate) -> str:
    """Write what stands behind a rate: n and the 95 % interval."""
    if rate.value is None:
        return ""
    parts = [] if rate.n is None else [f"n = {rate.n:,}"]
    if rate.low is not None and rate.high is not None:
        parts.append(_span(percent(rate.low), percent(rate.high), " %"))
    return "; ".join(parts)


def difference(rate: Rate) -> str:
    """Write a difference of two shares with its sign."""
    return NONE if rate.value is None else points(rate.value) + POINTS


def difference_around(rate: Rate) -> str:
    """Write what stands behind a difference: n and the 95 % interval."""
    if rate.value is None:
        return ""
    parts = [] if rate.n is None else [f"n = {rate.n:,}"]
    if rate.low is not None and rate.high is not None:
        parts.append(f"{points(rate.low)} to {points(rate.high)}{POINTS}")
    return "; ".join(parts)


def key_of(value: Any) -> str | None:
    """Return what a table is sorted by, where that is a number."""
    found = value.value if isinstance(value, Rate) else value
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return f"{float(found):.9g}"


def size(count: int) -> str:
    """Write a number of bytes."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} bytes"


def moment(text: str) -> str:
    """Write an ISO time to the minute, as it stands there; other text as it is."""
    return f"{text[:16].replace('T', ' ')} UTC" if text[10:11] == "T" else text


def duration(seconds: float) -> str:
    """Write how long something took."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _span(low: str, high: str, unit: str) -> str:
    if low[:1].isdigit() and high[:1].isdigit():
        return f"{low.removesuffix(unit)}–{high}"
    return f"{low} to {high}"


def _count(value: float) -> str:
    return f"{int(value):,}"


def _number(value: float) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", MINUS)

"""Values of a ``result.json`` as what they should be: a case may come from anybody."""

import math
from collections.abc import Mapping
from typing import Any

from forensics.report.blocks import Rate

LONGEST = 240  # characters of a text of the data in the report


def number(value: Any) -> float | None:
    """Return a finite number, or ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def count(value: Any) -> int | None:
    """Return a count, or ``None``."""
    found = number(value)
    return None if found is None or found < 0 else int(found)


def short(value: Any, longest: int = LONGEST) -> str:
    """Return a text cut to a length; an absent one is empty."""
    text = "" if value is None else str(value)
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def table_of(value: Any) -> Mapping[str, Any]:
    """Return an object of JSON; anything else is empty."""
    return value if isinstance(value, Mapping) else {}


def rows_of(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON list; anything else is left out."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def rate(value: Any, n: Any = None, ends: Any = None) -> Rate:
    """Return a rate; its interval only where both ends are known."""
    low, high = ends if isinstance(ends, list | tuple) and len(ends) == 2 else (None, None)
    return Rate(value=number(value), n=count(n), low=number(low), high=number(high))


def rate_at(entry: Any) -> Rate:
    """Return the rate of ``{"value" or "rate", "n", "low", "high"}``."""
    found = table_of(entry)
    return rate(found.get("value", found.get("rate")), found.get("n"),
                (found.get("low"), found.get("high")))  # fmt: skip

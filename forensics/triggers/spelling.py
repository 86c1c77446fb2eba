"""Numbers and options of a trigger as one line spells them."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final
from urllib.parse import quote, unquote

from forensics.errors import OptionError

LONGEST: Final = 1000
_WORDS: Final[dict[Any, str]] = {str: "text in UTF-8", int: "a whole number, such as 4"}


def read_options(spec: str, text: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Read ``key=value,...``.

    Args:
        spec: The whole spelling, for messages.
        text: What follows the trigger's kind.
        kinds: Known keys -> ``str``, ``int`` or ``float``, or a union of one of these with None.

    Raises:
        OptionError: An unknown or repeated key, or a value that cannot be read.
    """
    options: dict[str, Any] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (word.strip() for word in pair.partition("="))
        if not equals or key not in kinds or key in options:
            known = f"Give each of {', '.join(sorted(kinds))} at most once, as key=value."
            raise OptionError(
                f"Trigger {spec!r}: cannot use {pair!r}.",
                remedy=known + (" Write a comma in a text as %2C." if "prefix" in kinds else ""),
            )
        options[key] = _value(spec, key, value, kinds[key])
    return options


def write_share(value: float) -> str:
    """Spell a number as a fraction such as ``1/16`` where that is exact."""
    share = Fraction(value).limit_denominator(1000)
    return str(share) if float(share) == value else repr(value)


def write_number(value: float) -> str:
    """Spell a number shortly: a short decimal, or in 255ths (``60/255``), or in full."""
    short = repr(value)
    bytes_ = round(value * 255)
    return f"{bytes_}/255" if len(short) > 6 and bytes_ / 255 == value else short


def write_text(value: str) -> str:
    """Escape what would end or alter a value; the reader takes it back."""
    return value.replace("%", "%25").replace(",", quote(","))


def _value(spec: str, key: str, value: str, kind: Any) -> Any:
    try:
        if kind is str:
            return unquote(value, errors="strict")
        return int(value) if kind is int else _number(value)
    except (ValueError, ZeroDivisionError) as error:
        raise OptionError(
            f"Trigger {spec!r}: {key} cannot be {value!r}.",
            remedy=f"{key} is {_WORDS.get(kind, 'a number, such as 1/16 or 0.1')}.",
        ) from error


def _number(value: str) -> float:
    # Not Fraction(value): an exponent of nine digits would fill the memory.
    above, slash, below = value.partition("/")
    return int(above) / int(below) if slash else float(value)

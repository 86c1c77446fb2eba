"""Options that a case suggests for its methods: what its maker knows and a default cannot.

A demo of 108 pixels needs another budget than a model of 224; whoever makes a case can say so once.
A case may come from anybody, so only numbers, switches and named choices are taken: no suggestion
makes a method read a file.
"""

from collections.abc import Mapping
from typing import Any

from forensics.errors import CaseError
from forensics.options import OptionField, describe_options

Suggested = Mapping[str, Mapping[str, Any]]


def suggested_values(suggested: Suggested, method: str, options: type[Any]) -> dict[str, Any]:
    """Return the options that a case suggests for a method.

    Args:
        suggested: Method -> option -> value, as in ``case.json``.
        method: Its name.
        options: Its dataclass; checks the values' range once they are used.

    Raises:
        CaseError: An option is unknown, or may not be suggested.
    """
    known = {field.name: field for field in describe_options(options)}
    values = dict(suggested.get(method, {}))
    for name, value in values.items():
        field = known.get(name)
        if field is None or not _harmless(field, value):
            raise CaseError(
                f"case.json suggests {name[:40]!r} for {method}, which a case may not.",
                remedy=f"Delete it there, under suggested: {method}.",
            )
    return values


def check_suggested(record: Any) -> None:
    """Check the shape of what a manifest suggests.

    Raises:
        TypeError: It is no table of tables.
    """
    if not isinstance(record, dict) or not all(isinstance(own, dict) for own in record.values()):
        raise TypeError("suggested is not a table of options")


def _harmless(field: OptionField, value: Any) -> bool:
    if field.choices:
        return value in field.choices
    return field.kind in (int, float, bool) and isinstance(value, int | float)

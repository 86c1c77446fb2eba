"""Turn a method's options dataclass into checked values, CLI flags and UI controls.

A method owns one frozen dataclass; ``field(metadata={"help", "min", "max", "choices"})`` says the
rest. Flags, controls and documentation are all derived from it, so that they cannot disagree.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, fields
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from forensics.errors import OptionError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionField:
    """One option, described without its dataclass.

    Attributes:
        name: Name in Python; the flag is ``--name`` with dashes.
        kind: ``int``, ``float``, ``bool`` or ``str``.
        default: Value when nothing is given; ``None`` means "decide for me".
        help: One sentence for people.
        minimum: Smallest value, or ``None``.
        maximum: Largest value, or ``None``.
        choices: The only values allowed; empty = no list.
    """

    name: str
    kind: type
    default: Any
    help: str
    minimum: float | None
    maximum: float | None
    choices: tuple[Any, ...]

    @property
    def flag(self) -> str:
        """The command-line flag."""
        return "--" + self.name.replace("_", "-")


def describe_options(options: type[Any]) -> tuple[OptionField, ...]:
    """List the options of a dataclass in the order it declares them, inherited ones last."""
    hints = get_type_hints(options)
    own = options.__annotations__
    found = sorted(fields(options), key=lambda field: field.name not in own)
    return tuple(_describe(field, hints[field.name]) for field in found)


def _describe(field: "Field[Any]", hint: Any) -> OptionField:
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    optional = get_origin(hint) is UnionType
    default = field.default
    if default is MISSING:
        default = field.default_factory() if field.default_factory is not MISSING else None
    return OptionField(
        name=field.name,
        kind=kinds[0] if optional else (hint if isinstance(hint, type) else str),
        default=default,
        help=str(field.metadata.get("help", "")),
        minimum=field.metadata.get("min"),
        maximum=field.metadata.get("max"),
        choices=tuple(field.metadata.get("choices", ())),
    )


def build_options(options: type[T], values: Mapping[str, Any]) -> T:
    """Make an options object from loose values, checking each.

    Args:
        options: The dataclass.
        values: Name to value; values that are ``None`` keep the default.

    Raises:
        OptionError: An unknown name, a wrong type, or a value outside its range.
    """
    known = {field.name: field for field in describe_options(options)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise OptionError(
            f"Unknown option {unknown[0]!r}.", remedy=f"Known: {', '.join(sorted(known))}."
        )
    given = {
        name: _check(known[name], value) for name, value in values.items() if value is not None
    }
    return options(**given)


def options_to_dict(options: Any) -> dict[str, Any]:
    """Write an options object as plain values, as a run folder stores it."""
    return asdict(options)


def _check(field: OptionField, value: Any) -> Any:
    checked: Any
    try:
        checked = value if isinstance(value, field.kind) else field.kind(value)
    except (TypeError, ValueError) as error:
        raise OptionError(f"{field.flag} must be {field.kind.__name__}, not {value!r}.") from error
    if field.choices and checked not in field.choices:
        raise OptionError(
            f"{field.flag} must be one of {', '.join(map(str, field.choices))}, not {value!r}."
        )
    # Written so that NaN fails too.
    if field.minimum is not None and not checked >= field.minimum:
        raise OptionError(f"{field.flag} must be at least {field.minimum}, not {value!r}.")
    if field.maximum is not None and not checked <= field.maximum:
        raise OptionError(f"{field.flag} must be at most {field.maximum}, not {value!r}.")
    return checked

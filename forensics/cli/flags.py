"""Flags made from a method's options dataclass."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from forensics.options import OptionField, describe_options

F = TypeVar("F", bound=Callable[..., Any])

case_flag = click.option(
    "--case",
    "case_folder",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of the case.",
)
run_flag = click.option("--run", "run_id", help="Id of a run; the latest that fits by default.")


def option_flags(*options: type[Any]) -> Callable[[F], F]:
    """Add a flag for every field of options dataclasses; absent flags arrive as ``None``.

    A field that several of them have is one flag, described as the first one does.
    """
    listed: dict[str, OptionField] = {}
    for each in options:
        for field in describe_options(each):
            listed.setdefault(field.name, field)

    def add(function: F) -> F:
        for field in reversed(listed.values()):
            function = _flag(field)(function)
        return function

    return add


def _flag(field: OptionField) -> Callable[[F], F]:
    text = f"{field.help} [default: {'decide for me' if field.default is None else field.default}]"
    if field.kind is bool:
        return click.option(f"{field.flag}/--no-{field.flag[2:]}", default=None, help=text)
    kind: Any = click.Choice([str(c) for c in field.choices]) if field.choices else field.kind
    return click.option(field.flag, field.name, type=kind, default=None, help=text)


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Keep the flags that were given."""
    return {name: value for name, value in values.items() if value is not None}

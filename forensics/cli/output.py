"""What a verb prints: one JSON object, or a few lines for people."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

json_flag = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def emit(value: Mapping[str, Any], as_json: bool, text: Callable[[], str]) -> None:
    """Print a verb's outcome.

    Args:
        value: For ``--json``.
        as_json: Whether JSON was asked for.
        text: Writes the lines for people.
    """
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False))
    else:
        click.echo(printable(text()))


def printable(text: str) -> str:
    """Neutralise control characters: data must not steer the terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text)


def percent(value: float | None) -> str:
    """Write a share for people."""
    return "not defined" if value is None else f"{100 * value:.1f} %"


def is_terminal() -> bool:
    """Whether a person watches stderr."""
    return sys.stderr.isatty()

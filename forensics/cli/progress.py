"""Tell a person who watches how far a long verb is."""

from collections.abc import Callable

import click

from forensics.cli.output import is_terminal


def progress_on_stderr() -> Callable[[int, int, str], None] | None:
    """Report on stderr at every full percent, if a person watches."""
    if not is_terminal():
        return None
    last = [-1]

    def report(done: int, total: int, message: str) -> None:
        share = 100 * done // max(1, total)
        if share != last[0]:
            last[0] = share
            click.echo(f"\r{share:3d} % {message:<60}", err=True, nl=False)

    return report

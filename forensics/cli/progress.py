"""Tell a person who watches how far a long verb is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from forensics.api.following import Tell
from forensics.cli.output import is_terminal
from forensics.runs import Progress as Where


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


@contextmanager
def progress_bar(name: str) -> Iterator[Tell | None]:
    """Show a bar on a terminal; what is yielded moves it. Without a terminal it is ``None``."""
    if not is_terminal():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None, text="loading")

        def tell(where: Where) -> None:
            bar.update(task, total=where.total or None, completed=where.done, text=where.text)

        yield tell

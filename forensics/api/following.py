"""Follow a run that is being executed in this process, as the app follows one elsewhere."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from forensics.runs import Progress, Run, progress_view

Tell = Callable[[Progress], None]
"""Told how far a run is; called a few times a second from a thread of its own."""

EVERY = 0.25  # seconds


@contextmanager
def following(run: Run, tell: Tell | None) -> Iterator[None]:
    """Tell how far a run is while the block works, and once more when it has finished.

    Args:
        run: Its ``status.json`` is read.
        tell: Told of it. An error that it raises ends the telling, not the run, and is raised
            again after the run has finished.
    """
    if tell is None:
        yield
        return
    done = threading.Event()
    problems: list[Exception] = []

    def look() -> None:
        try:
            tell(progress_view(run.status()))
        except Exception as error:  # whatever a caller's function may raise
            problems.append(error)

    def follow() -> None:
        while not problems and not done.wait(EVERY):
            look()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    if not problems:
        look()
    if problems:
        raise problems[0]

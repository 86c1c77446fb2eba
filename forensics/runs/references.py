"""Which runs build on which: a scan whose arrays another one decided from must stay."""

from collections.abc import Iterable, Iterator
from typing import Any

from forensics.errors import CaseError
from forensics.runs.choices import choices
from forensics.runs.run import RUN_ID, Run
from forensics.runs.status import State


def builds_on(run: Run) -> frozenset[str]:
    """Return the runs that a run names in its options, its choices or its result."""
    said: list[Any] = [run.options, choices(run.folder)]
    if run.status().state is State.FINISHED:
        said.append(run.result())
    found = {text for part in said for text in _texts(part) if RUN_ID.fullmatch(text)}
    return frozenset(found - {run.id})


def builders(run: Run, others: Iterable[Run]) -> list[Run]:
    """Return those of some runs that build on one."""
    return [other for other in others if run.id in builds_on(other)]


def check_deletable(run: Run, others: Iterable[Run]) -> None:
    """Refuse to delete a run that works, waits, or is built on.

    Raises:
        CaseError: It is one of these; the message says which.
    """
    if run.status().state.active:
        raise CaseError(f"Run {run.id} is under way.", remedy="Cancel it first.")
    above = builders(run, others)
    if above:
        named = ", ".join(sorted(other.id for other in above)[:5])
        raise CaseError(
            f"Other runs build on {run.id}: {named}.",
            remedy="Delete these first; what they say could not be checked without it.",
        )


def _texts(value: Any) -> Iterator[str]:
    """Yield the short texts in a JSON value; lists of samples are not walked to their end."""
    if isinstance(value, str):
        if len(value) <= 80:
            yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value[:200]:
            yield from _texts(part)

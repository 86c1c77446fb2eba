"""The shipped demo cases. A demo is a toy model, built so that the signal can be seen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.case.fingerprint import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFacts:
    """One shipped demo.

    Attributes:
        name: What :func:`demo` is called with.
        title: For people.
        story: What is known of its origin.
        samples: How many pictures are drawn for it.
        shipped: Whether its weights are installed.
        measured: Rates that were measured when it was built (clean accuracy, attack success).
    """

    name: str
    title: str
    story: str
    samples: int
    shipped: bool
    measured: dict[str, Any]


def demos() -> list[DemoFacts]:
    """List the demos."""
    from forensics.lab.shipped import SHIPPED  # the lab is slow to import

    return [
        DemoFacts(
            name=entry.name,
            title=entry.title,
            story=entry.story,
            samples=entry.scenes,
            shipped=entry.shipped,
            measured=entry.measured(),
        )
        for entry in SHIPPED
    ]


def demo(name: str, folder: Path | str, *, progress: Report | None = None) -> Case:
    """Open a demo as a new case; its pictures are drawn from their seed into the folder.

    Args:
        name: One of :func:`demos`.
        folder: New or empty.
        progress: Told how far it is: message, done, total (0 if unknown).

    Raises:
        CaseError: The folder is in use.
        InputError: No such demo, or its weights are not installed.
    """
    from forensics.lab.opening import open_demo

    return open_demo(name, Path(folder), progress)

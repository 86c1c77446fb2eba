"""The trigger that a repair's attack success is measured with: known, or reconstructed."""

from dataclasses import dataclass
from typing import Final

from forensics.triggers import Trigger

KNOWN: Final = "known"
RECONSTRUCTION: Final = "reconstruction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The trigger that attack success is measured with.

    Attributes:
        by: ``known`` or ``reconstruction``.
        trigger: Itself.
        spec: Its name, where it has one.
        target: The class or the answer that it leads to.
        title: What it is, in words that go on "brings 3 of 200 pictures to ...".
        run: The run that reconstructed it.
    """

    by: str
    trigger: Trigger
    spec: str | None
    target: str
    title: str = "the known trigger"
    run: str | None = None

"""What the routes share: the cases, the scans in memory, and the options they may be asked with."""

from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from forensics.case import Case
from forensics.errors import OptionError
from forensics.triage.desk import Desk
from forensics.triage.shelf import DeskShelf
from forensics.ui.evidence import RULES, Evidence, EvidenceShelf
from forensics.ui.sample_map import MapShelf, SampleMap
from forensics.ui.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The server's state; everything else is in case folders.

    Attributes:
        workspace: The cases.
        shelf: The scans in memory.
        maps: The maps of samples in memory, and selections on them.
        desks: The queues of evidence in memory.
    """

    workspace: Workspace
    shelf: EvidenceShelf = field(default_factory=EvidenceShelf)
    maps: MapShelf = field(default_factory=MapShelf)
    desks: DeskShelf = field(default_factory=DeskShelf)

    def case(self, name: str) -> Case:
        """Return an opened case by its id."""
        return self.workspace.case(name)

    def evidence(self, name: str, run: str) -> Evidence:
        """Return a finished scan."""
        return self.shelf.get(self.case(name), run)

    def sample_map(self, name: str, run: str) -> SampleMap:
        """Return a finished map of samples."""
        return self.maps.get(self.case(name), run)

    def desk(self, name: str) -> Desk:
        """Return the evidence and decisions of a case."""
        return self.desks.get(self.case(name))


def open_context(root: Path) -> Context:
    """Make the context of a server whose cases lie under ``root``."""
    return Context(workspace=Workspace(root))


def check_decision(rule: str | None, tau: float | None) -> None:
    """Refuse a rule or gate that no decision has.

    Raises:
        OptionError: It is none.
    """
    if rule is not None and rule not in RULES:
        raise OptionError(f"The rule must be one of {', '.join(RULES)}, not {rule[:40]!r}.")
    if tau is not None and not (isfinite(tau) and 0 <= tau <= 100):
        raise OptionError("The gate tau must be between 0 and 100.")

"""A finished run, to be read: its result, what it flags, its arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from forensics.api.cases import CaseLike, open_case
from forensics.api.flagged import FlaggedPage, flagged_page
from forensics.case import Case
from forensics.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """What a method said.

    Attributes:
        case: The case.
        run: The run folder.
        result: The content of its ``result.json``; see docs/methods.md.
    """

    case: Case
    run: Run
    result: dict[str, Any]

    @property
    def id(self) -> str:
        """Id of the run; exports, repairs and transplants take it."""
        return self.run.id

    @property
    def method(self) -> str:
        """Registry name of the method."""
        return self.run.method

    @property
    def options(self) -> dict[str, Any]:
        """What the method was told, defaults included."""
        return self.run.options

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.run.folder

    @property
    def verdict(self) -> str | None:
        """``suspicious``, ``no evidence`` or ``inconclusive``; ``None``: it only ranks."""
        verdict: str | None = self.result.get("verdict")
        return verdict

    @property
    def sentence(self) -> str:
        """The verdict in a sentence built from measurements."""
        return str(self.result.get("sentence", ""))

    def flagged(self, start: int = 0, most: int = 100) -> FlaggedPage:
        """Return the flagged samples from ``start`` on, with the reason for each.

        Raises:
            CaseError: The method flags no samples.
        """
        return flagged_page(self.case, self.run, start, most)

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Read a file of arrays of the run, such as ``attention.safetensors``.

        Raises:
            CaseError: It is missing or damaged.
        """
        return self.run.arrays(name)


def open_run(case: CaseLike, run: str | None = None, *, method: str | None = None) -> FinishedRun:
    """Read a run that has finished, in whichever process.

    Args:
        case: The case, or its folder.
        run: Its id; the newest finished one by default.
        method: Without an id: only runs of this method, by name or alias.

    Raises:
        CaseError: There is none, or it has no result yet.
        InputError: There is no such method.
    """
    from forensics.registry import find_method

    opened = open_case(case)
    found = opened.run(run, method=None if method is None else find_method(method).name)
    return FinishedRun(case=opened, run=found, result=found.result())

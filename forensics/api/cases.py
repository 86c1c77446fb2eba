"""Open, make and describe cases."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.case.fingerprint import Report
from forensics.data.records import Turns
from forensics.data.sample import RowError
from forensics.errors import OptionError
from forensics.runs import Run, State, progress_view

CaseLike = Case | Path | str
"""A case that is open, or its folder."""

SAID = ("verdict", "reason", "flagged", "n")
MOST_ROW_ERRORS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One run in a line.

    Attributes:
        run: Its id.
        method: Registry name.
        state: ``queued``, ``running``, ``finished``, ``failed``, ``cancelled`` or ``interrupted``.
        progress: Where it stands, in words.
        said: Of a finished one: ``verdict``, ``reason``, ``flagged``, ``n``, those that it has.
    """

    run: str
    method: str
    state: str
    progress: str
    said: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it; what the run said stands beside the rest."""
        return {"run": self.run, "method": self.method, "state": self.state, **self.said}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What a case examines, and what has been done.

    Attributes:
        case: Its folder.
        title: For people.
        n: Samples.
        errors: Rows of the data that cannot be used.
        model: URI of the model under suspicion.
        kind: ``multimodal-llm`` or ``clip``.
        data: URI of the data.
        base: URI of the model before tuning, or ``None``.
        turns: Which turns of a conversation are samples, ``first`` or ``each``.
        unread_rows: Rows with turns that were not read.
        hashes: Of model, data and base: ``sha256``, ``files``, ``bytes``.
        runs: Newest first.
        row_errors: The first of the unusable rows.
        disk_use: Bytes: ``runs``, ``pictures``, ``other``, ``total``.
    """

    case: str
    title: str
    n: int
    errors: int
    model: str
    kind: str
    data: str
    base: str | None
    turns: str
    unread_rows: int
    hashes: dict[str, Any]
    runs: tuple[RunFacts, ...] = ()
    row_errors: tuple[RowError, ...] = ()
    disk_use: dict[str, int] = field(default_factory=dict)

    def examined(self) -> dict[str, Any]:
        """Return the part that no run changes, as JSON holds it."""
        later = {"runs", "row_errors", "disk_use"}
        return {key: value for key, value in asdict(self).items() if key not in later}

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON holds it."""
        return {
            **self.examined(),
            "row_errors": [
                {"source": error.source, "line": error.line, "reason": error.reason}
                for error in self.row_errors
            ],
            "runs": [run.to_dict() for run in self.runs],
            "disk_use": self.disk_use,
        }


def open_case(case: CaseLike) -> Case:
    """Open a case folder, wherever it was moved to; a case that is open is returned as it is.

    Raises:
        CaseError: It is no case, not finished, damaged, or of another schema.
    """
    return case if isinstance(case, Case) else Case.open(case)


def new_case(
    folder: Path | str,
    *,
    data: str,
    model: str | None = None,
    base: str | None = None,
    title: str | None = None,
    turns: Turns = "first",
    download: bool = False,
    progress: Report | None = None,
) -> Case:
    """Make a case: freeze the rows of a data set and hash what is examined.

    Args:
        folder: New or empty.
        data: URI of the data that the model was tuned on.
        model: URI of the model under suspicion; without it ``base`` is to be tuned first.
        base: URI of the model before tuning.
        title: For people; the folder's name by default.
        turns: Turns of a conversation that are samples: ``first`` or ``each``.
        download: Whether data named by its hub id may be fetched into the hub cache.
        progress: Told how far it is: message, done, total (0 if unknown).

    Raises:
        OptionError: Neither ``model`` nor ``base`` is given.
        CaseError: The folder is in use, or no row of the data is usable.
        DataError: The data cannot be opened.
        ModelError: A model folder is missing.
    """
    subject = model or base
    if subject is None:
        raise OptionError("A case needs a model.", remedy="Give model=, or base= to tune one.")
    return Case.create(
        folder, model=subject, data=data, base=base, title=title, turns=turns, download=download,
        report=progress,
    )  # fmt: skip


def show(case: CaseLike) -> CaseFacts:
    """Describe a case: what it examines, its runs and verdicts. Nothing is written.

    Raises:
        CaseError: It is no case.
    """
    opened = open_case(case)
    manifest = opened.manifest
    return CaseFacts(
        case=str(opened.folder),
        title=manifest.title,
        n=len(opened.catalog),
        errors=manifest.errors,
        model=manifest.model,
        kind=manifest.kind,
        data=manifest.data,
        base=manifest.base,
        turns=manifest.turns,
        unread_rows=manifest.unread_rows,
        hashes={name: asdict(found) for name, found in manifest.hashes.items()},
        runs=tuple(map(run_facts, opened.runs())),
        row_errors=tuple(opened.row_errors(0, MOST_ROW_ERRORS)),
        disk_use=opened.disk_use(),
    )


def run_facts(run: Run) -> RunFacts:
    """Describe a run in a line."""
    status = run.status()
    result = run.result() if status.state is State.FINISHED else {}
    return RunFacts(
        run=run.id,
        method=run.method,
        state=str(status.state),
        progress=progress_view(status).text,
        said={key: result[key] for key in SAID if key in result},
    )

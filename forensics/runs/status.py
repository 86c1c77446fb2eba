"""Where a run stands: its states, and the one small file that says so."""

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from forensics.errors import CaseError
from forensics.runs.durable import read_json, write_json

SCHEMA = 1


class State(StrEnum):
    """The life of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def active(self) -> bool:
        """Whether the run waits or works."""
        return self in (State.QUEUED, State.RUNNING)

    @property
    def resumable(self) -> bool:
        """Whether the run stopped before its end and can go on from its ledger."""
        return self in (State.FAILED, State.CANCELLED, State.INTERRUPTED)


FOLLOWERS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED, State.INTERRUPTED}),
    State.RUNNING: frozenset(
        {State.FINISHED, State.FAILED, State.CANCELLED, State.INTERRUPTED},
    ),
    State.FINISHED: frozenset(),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
    State.INTERRUPTED: frozenset({State.QUEUED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a run stands. Times are seconds since 1970, 0 if it has not happened yet.

    Attributes:
        state: Its state.
        done: Units finished, for instance samples.
        total: Units in all; 0 while unknown.
        message: What it does now, one line.
        error: Why it failed; empty otherwise.
        remedy: What the user can do about it.
        worker: Whether a worker may take it from the queue; otherwise whoever made it runs it.
        attempt: How often it was started.
        pid: The process that runs it, or that made it while it is not started.
        process_started: Start time of that process, against reused process ids.
        host: The machine of that process.
        queued: When it was put in the queue last.
        started: When the latest attempt began.
        measured_from: When the latest attempt reported its first progress.
        measured_done: Units that were finished then; the rate counts from there.
        updated: When progress was reported last.
        heartbeat: When the process gave a sign of life last.
        ended: When the latest attempt ended.
        schema: Version of this file's layout.
    """

    state: State
    done: int = 0
    total: int = 0
    message: str = ""
    error: str = ""
    remedy: str = ""
    worker: bool = False
    attempt: int = 0
    pid: int = 0
    process_started: float = 0.0
    host: str = ""
    queued: float = 0.0
    started: float = 0.0
    measured_from: float = 0.0
    measured_done: int = 0
    updated: float = 0.0
    heartbeat: float = 0.0
    ended: float = 0.0
    schema: int = SCHEMA

    def to(self, state: State, **changes: Any) -> "Status":
        """Return the status after a change of state.

        Raises:
            CaseError: The state cannot follow the present one.
        """
        if state not in FOLLOWERS[self.state]:
            raise CaseError(f"A run that is {self.state} cannot become {state}.")
        return replace(self, state=state, **changes)


def read_status(path: Path) -> Status:
    """Read a status file; one that somebody damaged reads as failed, with the reason.

    A run whose status is lost must not hide the others, and its finished shards are still good.
    """
    try:
        return _parse(read_json(path))
    except CaseError as error:
        return Status(
            state=State.FAILED,
            error=f"The status of this run is damaged: {error.message}",
            remedy="Resume the run, or delete it.",
        )


def write_status(path: Path, status: Status) -> None:
    """Replace the status file at once."""
    write_json(path, status)


def _parse(record: dict[str, Any]) -> Status:
    if record.get("schema") != SCHEMA:
        raise CaseError(f"it has schema {record.get('schema')!r}, not {SCHEMA}.")
    values: dict[str, Any] = {}
    for field in fields(Status):
        if field.name in record:
            values[field.name] = _typed(field.name, field.type, record[field.name])
    return Status(**values)


def _typed(name: str, kind: Any, value: Any) -> Any:
    try:
        if kind is State:
            return State(value)
        if kind is float and type(value) in (int, float):
            return float(value)
        if type(value) is kind:
            return value
    except ValueError:
        pass
    raise CaseError(f"{name} has the value {value!r}.")

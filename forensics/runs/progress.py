"""Rate and remaining time of a run, worked out in one place for the app and the command line."""

import time
from dataclasses import dataclass, replace

from forensics.runs.status import State, Status

STALLED_AFTER = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a progress bar shows.

    Attributes:
        state: State of the run.
        done: Units finished.
        total: Units in all; 0 while unknown.
        fraction: ``done / total`` in [0, 1]; ``None`` while unknown.
        rate: Units a second since the latest attempt began to count; ``None`` while unknown.
        remaining: Seconds to go; ``None`` while unknown.
        elapsed: Seconds since the latest attempt began.
        stalled: Running, but its process has given no sign of life for 15 s.
        message: What it does now, or why it stopped.
        text: All of it in one line.
    """

    state: State
    done: int
    total: int
    fraction: float | None
    rate: float | None
    remaining: float | None
    elapsed: float
    stalled: bool
    message: str
    text: str


def progress_view(status: Status, now: float | None = None) -> Progress:
    """Work out what a progress bar shows.

    Args:
        status: Where the run stands.
        now: Seconds since 1970; the clock's by default.
    """
    now = time.time() if now is None else now
    rate = _rate(status)
    left = status.total - status.done
    remaining = left / rate if status.state is State.RUNNING and rate and left >= 0 else None
    end = now if status.state is State.RUNNING else status.ended
    view = Progress(
        state=status.state,
        done=status.done,
        total=status.total,
        fraction=min(1.0, status.done / status.total) if status.total > 0 else None,
        rate=rate,
        remaining=remaining if status.total else None,
        elapsed=max(0.0, end - status.started) if status.started else 0.0,
        stalled=status.state is State.RUNNING and now - status.heartbeat > STALLED_AFTER,
        message=status.error or status.message,
        text="",
    )
    return _with_text(view)


def duration(seconds: float) -> str:
    """Write seconds for people: ``48 s``, ``3 min 05 s``, ``2 h 07 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _rate(status: Status) -> float | None:
    seconds = status.updated - status.measured_from
    units = status.done - status.measured_done
    return units / seconds if status.measured_from and seconds > 0 and units > 0 else None


def _with_text(view: Progress) -> Progress:
    parts = [view.state.capitalize()]
    if view.total:
        parts.append(f"{view.done:,} of {view.total:,}")
    if view.rate and view.state is State.RUNNING:
        parts.append(f"{view.rate:.3g} per second")
    if view.remaining is not None:
        parts.append(f"{duration(view.remaining)} left")
    if view.stalled:
        parts.append("no sign of life from its process")
    if view.message:
        parts.append(view.message)
    return replace(view, text=" · ".join(parts))

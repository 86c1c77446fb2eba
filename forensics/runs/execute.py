"""Executing a run: the lock, the states, the signals, and what is left when a job fails."""

import contextlib
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from forensics.errors import Cancelled, ForensicsError, JobFailed
from forensics.runs.context import RunContext, WatchedContext
from forensics.runs.run import Run
from forensics.runs.status import State
from forensics.runs.statusboard import StatusBoard

Job = Callable[[RunContext], dict[str, Any]]


def execute(
    run: Run,
    job: Job,
    *,
    stop: threading.Event | None = None,
    between: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Do a queued run in this process, to its end.

    Args:
        run: In state ``queued``.
        job: Takes the context, returns what becomes ``result.json``.
        stop: Set by the caller when the process is told to stop. Without it, SIGINT and SIGTERM
            cancel the job (a second one breaks it off), if this is the main thread.
        between: Called by the job between batches.

    Returns:
        What the job returned.

    Raises:
        CaseError: Another process holds the run, or it is not queued.
        Cancelled: The user stopped it; the state is ``cancelled``.
        ForensicsError: The job's own error; the state is ``failed``.
        JobFailed: Any other exception, which is its cause; the traceback is in ``job.log``.
    """
    with run.hold(), _signals(stop) as stopped:
        board = StatusBoard(run)
        run.event("started", attempt=run.status().attempt)
        try:
            result = _work(run, job, board, stopped, between)
        except BaseException as error:
            _record_end(run, board, error)
            told = _for_caller(run, error)
            if told is error:
                raise
            raise told from error
        board.end(State.FINISHED, message="")
        # What the shards held is in the result now; the list of them stays as a record.
        run.ledger.drop_files()
        run.event("finished")
        return result


def _work(
    run: Run,
    job: Job,
    board: StatusBoard,
    stopped: threading.Event,
    between: Callable[[], None] | None,
) -> dict[str, Any]:
    context = WatchedContext(run, board, stopped, between)
    context.check_cancelled()
    result = job(context)
    context.save_result(result)
    return result


def _record_end(run: Run, board: StatusBoard, error: BaseException) -> None:
    if isinstance(error, Cancelled | KeyboardInterrupt):
        board.end(State.CANCELLED)
        run.event("cancelled")
        return
    message, remedy = describe(error)
    _log(run, error)
    board.end(State.FAILED, error=message, remedy=remedy)
    run.event("failed", error=message)


def describe(error: BaseException) -> tuple[str, str]:
    """Return what is wrong and what to do about it, in words for the user."""
    if isinstance(error, ForensicsError):
        return error.message, error.remedy
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or 'unnamed file'}", "See job.log in the run."
    text = str(error).strip().splitlines()
    first = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    return first, "See job.log in the run's folder."


def _for_caller(run: Run, error: BaseException) -> BaseException:
    if isinstance(error, KeyboardInterrupt):
        return Cancelled(f"Run {run.id} was cancelled.", remedy="Resume it to go on.")
    if isinstance(error, ForensicsError) or not isinstance(error, Exception):
        return error
    message, remedy = describe(error)
    return JobFailed(f"Run {run.id} failed. {message}", remedy=remedy)


def _log(run: Run, error: BaseException) -> None:
    with (run.folder / "job.log").open("a", encoding="utf-8", errors="replace") as file:
        file.writelines(traceback.format_exception(error))


@contextlib.contextmanager
def _signals(stop: threading.Event | None) -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into a request to stop, while a job runs in the main thread."""
    stopped = stop or threading.Event()
    if stop is not None or threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Talking to the worker of a case, from the app, the command line or a notebook; no torch here."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing import AuthenticationError
from typing import Any

from forensics.case import Case
from forensics.errors import JobFailed
from forensics.runs import Run
from forensics.runs.listing import interrupt_if_abandoned, reconcile
from forensics.runs.process import is_alive
from forensics.worker.table import load_table, table_name
from forensics.worker.wire import LARGEST_REPLY, connect, limit_time, place_of, receive, send

START_SECONDS = 60.0
STATE_SECONDS = 3.0
POLL_SECONDS = 0.05
SPAWN_EVERY = 2.0
LOG_TAIL = 2000
LARGEST_LOG = 4 * 2**20


def submit(case: Case, method: str, options: Mapping[str, Any], *, jobs: str | None = None) -> Run:
    """Put a run in the queue of a case's worker, and see that there is one.

    Args:
        case: The case.
        method: Registry name.
        options: What the method is told.
        jobs: Module with the table of jobs, if not ours.

    Raises:
        OptionError: There is no such method.
        JobFailed: The worker does not start.
    """
    load_table(jobs).check_job(method)
    run = case.new_run(method, options, worker=True)
    try:
        ensure_worker(case, jobs=jobs)
    except JobFailed:
        run.request_cancel()  # it must not start by surprise some other day
        raise
    return run


def cancel(run: Run) -> None:
    """Ask a run to stop; returns at once. It keeps what it finished.

    A run that only waits is cancelled when this returns; one whose process is gone is marked as
    interrupted.
    """
    if run.status().state.active:
        run.request_cancel()
        interrupt_if_abandoned(run)


def resume(run: Run, *, jobs: str | None = None) -> Run:
    """Put a stopped run in its worker's queue again; it goes on from its ledger.

    Raises:
        CaseError: It waits, works or is finished.
        JobFailed: The worker does not start.
    """
    case = Case.open(run.folder.parent.parent)
    interrupt_if_abandoned(run)
    run.requeue(worker=True)
    ensure_worker(case, jobs=jobs)
    return run


def call(
    case: Case,
    name: str,
    params: Mapping[str, Any],
    *,
    timeout: float = 60.0,
    jobs: str | None = None,
) -> dict[str, Any]:
    """Ask the worker for something small; starts one if there is none.

    While a job runs, the request waits for the next gap between two batches.

    Args:
        case: The case.
        name: Name of the request in the table of jobs.
        params: Its parameters; must have a JSON form.
        timeout: Seconds to wait for the answer.
        jobs: Module with the table of jobs, if not ours.

    Raises:
        JobFailed: The worker says why it cannot answer, or does not answer in time.
    """
    ensure_worker(case, jobs=jobs)
    request = {"call": name, "params": dict(params), "timeout": timeout}
    try:
        reply = _ask(case, request, timeout + 1.0)
    except BlockingIOError as error:
        raise JobFailed(
            f"The worker did not answer within {timeout:g} s.", remedy="Try again."
        ) from error
    except (OSError, EOFError, ValueError, AuthenticationError) as error:
        raise JobFailed(
            f"The worker did not answer: {error or 'it hung up'}.",
            remedy="Try again; see worker.log in the case folder.",
        ) from error
    if "result" not in reply:
        raise JobFailed(str(reply.get("error")), remedy=str(reply.get("remedy") or ""))
    result: dict[str, Any] = reply["result"]
    return result


def worker_state(case: Case) -> dict[str, Any]:
    """Tell whether a worker serves the case, and what it does.

    Returns:
        ``alive``; where it is alive also ``pid``, ``run`` (id or ``None``), ``model`` (URI of the
        loaded one or ``None``), ``idle`` (seconds) and ``version``.
    """
    try:
        reply = _ask(case, {"call": "state"}, STATE_SECONDS)
    except BlockingIOError:
        return {"alive": True, "run": None, "model": None, "idle": 0.0}  # too busy to say more
    except (OSError, EOFError, ValueError, AuthenticationError):
        return {"alive": False}
    return {"alive": True} | dict(reply.get("result") or {})


def ensure_worker(
    case: Case, *, jobs: str | None = None, idle_minutes: float = 15.0
) -> dict[str, Any]:
    """See that a worker serves the case, and wake it.

    Returns:
        Its state, see :func:`worker_state`.

    Raises:
        JobFailed: It does not start; the message ends with what it said.
    """
    end = time.monotonic() + START_SECONDS
    process: subprocess.Popen[bytes] | None = None
    started = 0.0
    while time.monotonic() < end:
        state = worker_state(case)
        if state["alive"]:
            return state
        code = process.poll() if process else None
        if code is not None and code not in (0, 75):
            break
        # One that found the case taken may have met a worker that was just leaving.
        if process is None or (code is not None and time.monotonic() - started > SPAWN_EVERY):
            process, started = _spawn(case, jobs, idle_minutes), time.monotonic()
        time.sleep(POLL_SECONDS)
    raise JobFailed(f"The worker does not start. {_log_tail(case)}", remedy="See worker.log.")


def stop_worker(case: Case, *, timeout: float = 10.0) -> bool:
    """End the worker of a case; its run is cancelled and can be resumed.

    Args:
        case: The case.
        timeout: Seconds until it is killed.

    Returns:
        Whether there was one.
    """
    state = worker_state(case)
    pid, started = state.get("pid"), state.get("process_started")
    if not isinstance(pid, int) or not isinstance(started, float):
        return False
    for number, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, timeout)):
        if not is_alive(pid, started):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + patience
        while is_alive(pid, started) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
    reconcile(case.runs_dir)
    return True


def _ask(case: Case, request: dict[str, Any], timeout: float) -> dict[str, Any]:
    connection = connect(place_of(case.folder), STATE_SECONDS)
    with connection:
        limit_time(connection, timeout)
        send(connection, request)
        return receive(connection, LARGEST_REPLY)


def _spawn(case: Case, jobs: str | None, idle_minutes: float) -> "subprocess.Popen[bytes]":
    # -P: the working folder, perhaps a stranger's case, is no place to import from.
    command = [sys.executable, "-P", "-m", "forensics.worker", "--case", str(case.folder)]
    command += ["--jobs", jobs or table_name(), "--idle-minutes", str(idle_minutes)]
    path = case.folder / "worker.log"
    full = path.exists() and path.stat().st_size > LARGEST_LOG
    with path.open("wb" if full else "ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # outlives us, and hears no Ctrl-C of our terminal
        )
    # Somebody has to take note of its end, or it would stay as a zombie as long as we live.
    threading.Thread(target=process.wait, name="reaper", daemon=True).start()
    return process


def _log_tail(case: Case) -> str:
    path = case.folder / "worker.log"
    return path.read_bytes()[-LOG_TAIL:].decode("utf-8", "replace").strip()

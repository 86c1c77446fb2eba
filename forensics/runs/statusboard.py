"""The status of a running job, written behind the job's back a few times a second."""

import threading
import time
from dataclasses import replace
from typing import Any

from forensics.runs.process import identity
from forensics.runs.run import Run
from forensics.runs.status import State, Status

WRITE_EVERY = 0.2
HEARTBEAT_EVERY = 2.0


class StatusBoard:
    """Keeps the status of a run that this process holds, and its heart beating.

    The job only changes a value in memory; one thread does all the writing, at most five times a
    second, so that progress costs the job nothing.

    Args:
        run: The run, in state ``queued``.

    Attributes:
        known: Units that earlier attempts finished; passing over them does not count as speed.
    """

    def __init__(self, run: Run) -> None:
        self.known = 0
        self._run = run
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._dirty = False
        self._problem: OSError | None = None
        self._status = self._begin(run.status())
        run.write_status(self._status)
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def progress(self, done: int, total: int, message: str) -> None:
        """Take note of progress; a new total, or less done, starts the clock of the rate anew.

        So does what an earlier attempt did: a resumed job passes over it in no time.
        """
        now = time.time()
        with self._lock:
            old = self._status
            restart = (
                not old.measured_from or total != old.total or done < old.done or done <= self.known
            )
            measured: dict[str, Any] = (
                {"measured_from": now, "measured_done": done} if restart else {}
            )
            self._status = replace(
                old, done=done, total=total, message=message, updated=now, **measured
            )
            self._dirty = True

    def raise_problem(self) -> None:
        """Raise what kept the status from being written, for instance a full disk.

        Raises:
            OSError: The last write failed.
        """
        if self._problem is not None:
            raise self._problem

    def end(self, state: State, **changes: Any) -> None:
        """Stop the heart and write the last status."""
        self._closed.set()
        self._thread.join()
        with self._lock:
            self._status = self._status.to(state, ended=time.time(), **changes)
        self._run.write_status(self._status)

    def _begin(self, status: Status) -> Status:
        pid, started, host = identity()
        now = time.time()
        return status.to(
            State.RUNNING,
            pid=pid,
            process_started=started,
            host=host,
            attempt=status.attempt + 1,
            started=now,
            heartbeat=now,
            updated=now,
            measured_from=0.0,
            ended=0.0,
            message="Starting",
            error="",
            remedy="",
        )

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._closed.wait(WRITE_EVERY):
            if self._dirty or time.monotonic() - last >= HEARTBEAT_EVERY:
                last = time.monotonic()
                self._write()

    def _write(self) -> None:
        with self._lock:
            self._status = replace(self._status, heartbeat=time.time())
            self._dirty = False
            status = self._status
        try:
            self._run.write_status(status)
        except OSError as error:
            self._problem = error  # the job's next yield point raises it

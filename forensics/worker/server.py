"""The worker of a case: a process of its own that does queued runs and keeps the model warm."""

import contextlib
import sys
import threading
import time
import traceback
from typing import Any

from filelock import FileLock, Timeout

from forensics import __version__
from forensics.case import Case
from forensics.errors import Cancelled, ForensicsError
from forensics.runs import Run, next_queued, reconcile
from forensics.runs.execute import describe
from forensics.runs.plain import plain
from forensics.runs.process import identity
from forensics.worker.live import LiveServer
from forensics.worker.models import ModelCache
from forensics.worker.perform import perform
from forensics.worker.table import JobTable, resolve
from forensics.worker.turn import Turn
from forensics.worker.wire import place_of

LOOK_EVERY = 0.5
UNLOAD_AFTER = 300.0
LIVE_TIMEOUT = 60.0
LONGEST_WAIT = 600.0


class Worker:
    """Does the queued runs of one case, first come, first served, and answers live requests.

    Args:
        case: The case.
        table: Which function does what.
        models: Where models come from.
        idle: Seconds without work after which it ends.
    """

    def __init__(
        self, case: Case, table: JobTable, models: ModelCache, *, idle: float = 900.0
    ) -> None:
        self.stop = threading.Event()
        self._case = case
        self._table = table
        self._models = models
        self._idle = idle
        self._turn = Turn()
        self._wake = threading.Event()
        self._run: Run | None = None
        self._last_work = time.monotonic()
        self._live = LiveServer(place_of(case.folder), self._answer)

    def serve(self) -> bool:
        """Work until idle for long, told to stop, or the case is gone.

        Returns:
            Whether it worked; not if another worker has this case.
        """
        lock = FileLock(self._case.folder / "worker.lock", thread_local=False)
        try:
            lock.acquire(timeout=1.0)
        except Timeout:
            return False
        try:
            reconcile(self._case.runs_dir)
            self._serve()
        finally:
            lock.release()
        return True

    def _serve(self) -> None:
        leaving = False
        while not leaving:
            self._live.open()
            try:
                self._work()
            finally:
                self._live.close()
            # A client puts its run in the queue before it asks whether a worker is there. So
            # what it put there while we were leaving is seen by this last look.
            leaving = self.stop.is_set() or next_queued(self._case.runs_dir) is None
        self._models.release()

    def _work(self) -> None:
        while not self.stop.is_set() and (self._case.folder / "case.json").exists():
            run = next_queued(self._case.runs_dir)
            if run is not None and self._perform(run):
                continue
            idle = time.monotonic() - self._last_work
            if idle > self._idle and not self._live.busy:
                return
            if idle > UNLOAD_AFTER and self._models.loaded:
                with self._turn.held():
                    self._models.release()
            self._wake.wait(LOOK_EVERY)
            self._wake.clear()

    def _perform(self, run: Run) -> bool:
        """Do one run; tell whether it left the queue."""
        self._run = run
        finished = False
        with self._turn.held():
            try:
                perform(
                    self._case,
                    run,
                    self._models,
                    table=self._table,
                    stop=self.stop,
                    between=self._turn.give_way,
                )
                finished = True
            except Cancelled:
                _say(f"{run.id} was cancelled")
            except Exception:  # recorded in the run where that was possible; the worker goes on
                _say(f"{run.id} failed", traceback.format_exc())
            if not finished:
                # Here the traceback, and with it the job's own hold on the model, is gone.
                self._models.release()
        self._run = None
        self._last_work = time.monotonic()
        return not run.status().state.active

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request; every error becomes a reply."""
        name, params = request.get("call"), request.get("params", {})
        if name == "state":
            self._wake.set()
            return {"result": self._state()}
        if not isinstance(name, str) or name not in self._table.live:
            known = ", ".join(sorted(self._table.live))
            return {"error": f"There is no request {name!r:.80}.", "remedy": f"Known: {known}."}
        if not isinstance(params, dict):
            return {"error": "The parameters are not an object.", "remedy": ""}
        return self._ask_model(name, params, _seconds(request.get("timeout")))

    def _ask_model(self, name: str, params: dict[str, Any], timeout: float) -> dict[str, Any]:
        if not self._turn.acquire(timeout):
            return {
                "error": "The model is busy with a job.",
                "remedy": "Try again, or wait until the job ends.",
            }
        try:
            function = resolve(self._table.live[name])
            return {"result": plain(function(self._case, params, self._models))}
        except ForensicsError as error:
            return {"error": error.message, "remedy": error.remedy}
        except Exception as error:
            _say(f"request {name} failed", traceback.format_exc())
            return {"error": describe(error)[0], "remedy": "See worker.log in the case folder."}
        finally:
            self._last_work = time.monotonic()
            self._turn.release()

    def _state(self) -> dict[str, Any]:
        pid, started, _ = identity()
        run = self._run
        return {
            "pid": pid,
            "process_started": started,
            "version": __version__,
            "run": run.id if run else None,
            "model": self._models.loaded,
            "idle": 0.0 if run else time.monotonic() - self._last_work,
        }


def _seconds(value: Any) -> float:
    return min(float(value), LONGEST_WAIT) if type(value) in (int, float) else LIVE_TIMEOUT


def _say(what: str, more: str = "") -> None:
    with contextlib.suppress(OSError):  # a full disk must not end the worker
        print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {what}", file=sys.stderr)
        if more:
            print(more, file=sys.stderr)
        sys.stderr.flush()

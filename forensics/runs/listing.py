"""All runs of a case, and putting right what a killed process left behind."""

import contextlib
import shutil
import time
from pathlib import Path

from forensics.errors import CaseError
from forensics.runs.abandoned import SILENCE, is_abandoned
from forensics.runs.damage import damage, run_folders
from forensics.runs.run import Run
from forensics.runs.status import State


def list_runs(runs_dir: Path, *, damaged: bool = False) -> list[Run]:
    """Return the runs of a folder, newest first.

    Those that cannot be read are left out, so that the rest can be worked with; see
    :func:`forensics.runs.damage.damaged_runs`.

    Args:
        runs_dir: The folder.
        damaged: Whether those are wanted too of which only the result or what was measured cannot
            be read; for callers that tell so.
    """
    runs: list[Run] = []
    for folder in run_folders(runs_dir):
        with contextlib.suppress(CaseError):  # damaged between two looks
            if damaged or not damage(folder):
                runs.append(Run.open(folder))
    return sorted(runs, key=lambda run: (run.created, run.id), reverse=True)


def next_queued(runs_dir: Path) -> Run | None:
    """Return the run that waits for a worker the longest."""
    waiting = [(run.status(), run) for run in list_runs(runs_dir)]
    ready = [
        (status.queued, run.id, run)
        for status, run in waiting
        if status.state is State.QUEUED and status.worker
    ]
    return min(ready, key=lambda entry: entry[:2])[2] if ready else None


def reconcile(runs_dir: Path) -> list[Run]:
    """Mark runs as interrupted whose process is gone, and clear half-made folders.

    Returns:
        The runs that were changed.
    """
    for pattern in (".new-*", ".old-*"):
        for folder in runs_dir.glob(pattern):
            if time.time() - folder.lstat().st_mtime > SILENCE:
                shutil.rmtree(folder, ignore_errors=True)
    return [run for run in list_runs(runs_dir) if interrupt_if_abandoned(run)]


def interrupt_if_abandoned(run: Run) -> bool:
    """Mark one run as interrupted if the process that should do it is gone."""
    status = run.status()
    if not is_abandoned(status):
        return False
    try:
        with run.hold():
            return _interrupt(run)
    except CaseError:
        # The owner is dead, yet a child it left holds its lock (a fork inherits it), or a new
        # owner has just begun; the second will write its own status over ours.
        return _interrupt(run)


def _interrupt(run: Run) -> bool:
    status = run.status()
    if not is_abandoned(status):
        return False
    message = "The process that ran this job is gone."
    run.write_status(status.to(State.INTERRUPTED, message=message, ended=time.time()))
    run.event("interrupted", pid=status.pid)
    return True

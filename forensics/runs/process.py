"""Which process does a job, so that a later one can tell whether it still lives."""

import os
import socket

import psutil


def identity() -> tuple[int, float, str]:
    """Return this process's id, start time (seconds since 1970) and host name."""
    return os.getpid(), psutil.Process().create_time(), socket.gethostname()


def is_alive(pid: int, started: float) -> bool:
    """Tell whether the very process is still there.

    A process id alone is not enough: the system hands it out again. A zombie does no work any
    more, it only waits for its parent.

    Args:
        pid: Process id; 0 is nobody.
        started: Its start time in seconds since 1970.
    """
    if pid <= 0:
        return False
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True

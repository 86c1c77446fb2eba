"""Telling whether anybody still works on a run."""

import socket
import time

from forensics.runs.process import is_alive
from forensics.runs.status import State, Status

SILENCE = 60.0


def is_abandoned(status: Status) -> bool:
    """Tell whether a run waits or works in vain, because its process is gone.

    A run that waits for a worker of this machine is not abandoned: a worker can be started. One
    that waits in a case from elsewhere is, for nobody here asked for it.
    """
    if not status.state.active:
        return False
    if status.host != socket.gethostname():  # its processes cannot be seen from here
        return abs(time.time() - max(status.heartbeat, status.queued)) > SILENCE
    if status.state is State.QUEUED and status.worker:
        return False
    return not is_alive(status.pid, status.process_started)

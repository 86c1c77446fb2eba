"""Who may use the model: one at a time, first come, first served."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turn:
    """A lock that is given out in the order of asking.

    A plain lock would not do: a job that lets go between two batches and asks again at once would
    nearly always win against the live request that waits.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: deque[object] = deque()

    def acquire(self, timeout: float | None = None) -> bool:
        """Wait for one's turn; tell whether it came within ``timeout`` seconds."""
        ticket = object()
        with self._condition:
            self._queue.append(ticket)
            if self._condition.wait_for(lambda: self._queue[0] is ticket, timeout):
                return True
            self._queue.remove(ticket)
            self._condition.notify_all()
            return False

    def release(self) -> None:
        """Pass on to the next."""
        with self._condition:
            self._queue.popleft()
            self._condition.notify_all()

    def give_way(self) -> None:
        """Let those pass who wait now; for the holder, between two batches."""
        if len(self._queue) > 1:
            self.release()
            self.acquire()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the turn inside the block."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

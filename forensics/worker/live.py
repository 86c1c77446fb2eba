"""The worker's local socket: takes small requests in threads of their own."""

import contextlib
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from typing import Any

from forensics.worker.wire import (
    LARGEST_REQUEST,
    Place,
    connect,
    limit_time,
    new_key,
    receive,
    send,
    welcome,
)

MOST_CONNECTIONS = 64
PATIENCE = 5.0

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class LiveServer:
    """Listens on a local socket; one request and one reply a connection.

    A peer that has the wrong key, falls silent, sends garbage or too much loses its connection;
    nothing it sends reaches ``answer`` unless it is a JSON object.

    Args:
        place: Where to listen.
        answer: Turns a request into a reply; called in several threads at once.
    """

    def __init__(self, place: Place, answer: Answer) -> None:
        self._place = place
        self._answer = answer
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._open = threading.Event()
        self._busy = 0
        self._count = threading.Condition()

    def open(self) -> None:
        """Begin to listen, with a new key."""
        self._place.socket.unlink(missing_ok=True)  # left by a worker that was killed
        self._key = new_key(self._place)
        self._listener = Listener(str(self._place.socket), "AF_UNIX", backlog=MOST_CONNECTIONS)
        self._open.set()
        self._thread = threading.Thread(target=self._accept, name="live", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, then wait for the requests that came before."""
        self._open.clear()
        with contextlib.suppress(OSError, AuthenticationError):
            connect(self._place, PATIENCE).close()  # wakes the thread that waits for peers
        self._thread.join()
        self._listener.close()
        with self._count:
            self._count.wait_for(lambda: self._busy == 0, PATIENCE)

    @property
    def busy(self) -> int:
        """Requests being answered."""
        return self._busy

    def _accept(self) -> None:
        while self._open.is_set():
            try:
                connection = self._listener.accept()
            except OSError:
                traceback.print_exc(file=sys.stderr)
                continue
            if not self._slots.acquire(blocking=False):
                connection.close()
                continue
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        self._add(1)
        try:
            limit_time(connection, PATIENCE)
            welcome(connection, self._key)
            self._reply(connection)
        except (OSError, EOFError, AuthenticationError, AssertionError) as error:
            # AssertionError is how the standard library says that a peer does not speak it.
            if self._open.is_set():  # else it is the call by which close() wakes the listener
                print(f"a connection was dropped: {error!r}", file=sys.stderr, flush=True)
        finally:
            connection.close()
            self._slots.release()
            self._add(-1)

    def _reply(self, connection: Connection) -> None:
        try:
            request = receive(connection, LARGEST_REQUEST)
        except ValueError as error:
            send(connection, {"error": f"The request is not valid: {error}.", "remedy": ""})
            return
        send(connection, self._answer(request))

    def _add(self, number: int) -> None:
        with self._count:
            self._busy += number
            self._count.notify_all()

"""Messages between worker and clients: JSON over a local socket, never pickle.

``multiprocessing.connection`` frames the messages and checks the key of both sides; its ``send``
and ``recv`` would unpickle, so only ``send_bytes`` and ``recv_bytes`` are used.
"""

import hashlib
import json
import os
import secrets
import socket
import stat
import struct
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any

from forensics.errors import CaseError
from forensics.runs.durable import write_bytes
from forensics.runs.plain import plain

LARGEST_REQUEST = 2**20
LARGEST_REPLY = 64 * 2**20
LONGEST_ADDRESS = 100  # of the 104 to 108 bytes that systems allow for a socket's path
RETRY_SECONDS = 0.02
VARIABLE = "FORENSICS_RUNTIME_DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a case's worker listens.

    Attributes:
        socket: The socket's path.
        key: The file with the key that both sides must know.
    """

    socket: Path
    key: Path


def place_of(case_folder: Path) -> Place:
    """Return where the worker of a case listens; the same for every client of this user.

    Raises:
        CaseError: The folder for sockets belongs to somebody else, or its path is too long.
    """
    folder = _runtime_folder()
    name = hashlib.sha256(os.fsencode(case_folder.resolve())).hexdigest()[:24]
    path = folder / f"{name}.sock"
    if len(os.fsencode(path)) > LONGEST_ADDRESS:
        raise CaseError(f"{path} is too long for a socket.", remedy=f"Shorten {VARIABLE}.")
    return Place(socket=path, key=folder / f"{name}.key")


def new_key(place: Place) -> bytes:
    """Make the key of a worker that starts; only this user can read it."""
    key = secrets.token_bytes(32)
    write_bytes(place.key, key)
    return key


def connect(place: Place, timeout: float) -> Connection:
    """Connect to a worker; both sides prove that they know the key.

    Raises:
        OSError: Nobody listens, or the answer took longer than ``timeout`` seconds.
        multiprocessing.AuthenticationError: The other side has another key.
    """
    key = place.key.read_bytes()
    raw = _dial(place.socket, timeout)
    connection = Connection(raw.detach())
    try:
        limit_time(connection, timeout)
        answer_challenge(connection, key)
        deliver_challenge(connection, key)
    except BaseException:
        connection.close()
        raise
    return connection


def _dial(path: Path, timeout: float) -> socket.socket:
    """Connect a blocking socket; while too many others wait for the worker, try again."""
    end = time.monotonic() + timeout
    raw = socket.socket(socket.AF_UNIX)
    raw.setblocking(False)
    while True:
        try:
            raw.connect(str(path))
            raw.setblocking(True)
            return raw
        except BlockingIOError:
            if time.monotonic() > end:
                raw.close()
                raise
            time.sleep(RETRY_SECONDS)
        except OSError:
            raw.close()
            raise


def welcome(connection: Connection, key: bytes) -> None:
    """Do the worker's side of the handshake.

    Raises:
        OSError: The other side fell silent or sent too much.
        multiprocessing.AuthenticationError: It has another key.
    """
    deliver_challenge(connection, key)
    answer_challenge(connection, key)


def limit_time(connection: Connection, seconds: float) -> None:
    """Make every read and write on a connection fail that takes longer."""
    limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    raw = socket.socket(fileno=os.dup(connection.fileno()))
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    finally:
        raw.close()


def send(connection: Connection, message: dict[str, Any]) -> None:
    """Send one message."""
    text = json.dumps(plain(message), ensure_ascii=False, allow_nan=False)
    connection.send_bytes(text.encode("utf-8", "replace"))


def receive(connection: Connection, largest: int) -> dict[str, Any]:
    """Receive one message.

    Args:
        connection: Where from.
        largest: Most bytes; a longer message is not even read.

    Raises:
        OSError: It is too long, late or cut off.
        ValueError: It is not a JSON object.
    """
    try:
        message = json.loads(connection.recv_bytes(largest))
    except RecursionError as error:
        raise ValueError("the message is nested too deeply") from error
    if not isinstance(message, dict):
        raise ValueError("the message is not a JSON object")
    return message


def _runtime_folder() -> Path:
    """Return the folder for sockets, made for this user only.

    Not the variable for temporary folders: the app and the command line must find the same one
    though their environments differ.
    """
    given = os.environ.get(VARIABLE)
    folder = Path(given) if given else Path("/tmp") / f"triggerlens-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
    if status.st_uid != os.getuid() or not private:
        raise CaseError(
            f"{folder} is not a folder of yours alone.",
            remedy=f"Remove it, or set {VARIABLE} to a folder with mode 700.",
        )
    return folder

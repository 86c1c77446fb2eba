"""The list of those who may log in: a file of mode 600, or an environment variable."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from forensics.errors import OptionError
from forensics.runs.durable import write_bytes
from forensics.settings import config_folder
from forensics.ui.login.passwords import Entry, make_entry, read_entry

ENTRIES = "TRIGGERLENS_USERS"
FILE = "TRIGGERLENS_USERS_FILE"
LARGEST_FILE = 2**20


def users_file() -> Path:
    """Return where the logins lie; ``TRIGGERLENS_USERS_FILE`` names another file."""
    given = os.environ.get(FILE)
    return Path(given).expanduser().absolute() if given else config_folder() / "users"


class People:
    """Those who may log in, read anew where the file has changed.

    ``TRIGGERLENS_USERS``, lines of the file parted by spaces, wins over the file.
    """

    def __init__(self) -> None:
        self._seen: tuple[object, ...] = ()
        self._entries: Mapping[str, Entry] = {}

    def entries(self) -> Mapping[str, Entry]:
        """Return them by name.

        Raises:
            OptionError: The file can be read by others, or a line is damaged.
        """
        given = os.environ.get(ENTRIES, "")
        path = users_file()
        seen = (given, path, _stamp(path))
        if seen != self._seen:
            self._entries = {}  # whatever happens now, who was removed is out
            self._entries = _by_name(given.split() if given.strip() else _lines(path))
            self._seen = seen
        return self._entries


def add_person(name: str, password: str) -> bool:
    """Let somebody log in, or change their password.

    Returns:
        Whether the name is new.

    Raises:
        OptionError: Name or password cannot be used, or the file cannot.
    """
    path = users_file()
    known = dict(_by_name(_lines(path)))
    entry, is_new = make_entry(name, password), name not in known
    _write(path, known | {name: entry})
    return is_new


def remove_person(name: str) -> None:
    """Let somebody in no more; sessions of theirs end with the next request.

    Raises:
        OptionError: There is no such login.
    """
    path = users_file()
    known = dict(_by_name(_lines(path)))
    if known.pop(name, None) is None:
        raise OptionError(f"{name[:80]!r} has no login in {path}.")
    _write(path, known)


def _write(path: Path, entries: Mapping[str, Entry]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes(path, "".join(f"{entry}\n" for entry in entries.values()).encode())


def _lines(path: Path) -> list[str]:
    try:
        # A pipe would make the server wait for whoever writes into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        _check(os.fstat(descriptor), path)  # of what is open, not of what the name meant before
        text = os.read(descriptor, LARGEST_FILE).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _check(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_FILE:
        raise OptionError(f"{path} is no file of logins.")
    if found.st_uid not in (os.getuid(), 0):
        raise OptionError(f"{path} belongs to another account.", remedy="Make one of your own.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise OptionError(f"Others can read or change {path}.", remedy=f"chmod 600 {path}")


def _by_name(lines: list[str]) -> Mapping[str, Entry]:
    return {entry.name: entry for entry in map(read_entry, lines)}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino

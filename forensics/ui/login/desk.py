"""The desk where people log in: checks a password, opens and ends sessions."""

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from forensics.errors import OptionError
from forensics.ui.login.passwords import COST, NAME, Entry
from forensics.ui.login.people import People
from forensics.ui.login.throttle import Throttle

log = logging.getLogger("forensics.login")

LIFE = 12 * 3600.0  # seconds of a session
MOST = 1000  # sessions at a time; the oldest go first

# A name that nobody has costs the same time as a wrong password.
_NOBODY = Entry("nobody", COST, secrets.token_bytes(16), secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class _Session:
    entry: Entry
    ends: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try.

    Attributes:
        token: Of the new session; empty if there is none.
        wait: Seconds before the next try is looked at; 0 for a plain no.
    """

    token: str = ""
    wait: float = 0.0


class Desk:
    """Sessions of this server; they end with it.

    Args:
        people: Who may log in.
        clock: Seconds that only grow.
    """

    def __init__(self, people: People, clock: Callable[[], float] = time.monotonic) -> None:
        self._people = people
        self._clock = clock
        self._throttle = Throttle(clock)
        self._lock = threading.Lock()
        self._checking = threading.Lock()  # one hash at a time: each takes 32 MiB
        self._sessions: dict[str, _Session] = {}

    def log_in(self, name: str, password: str, address: str) -> Answer:
        """Try a password; slow on purpose."""
        # What is no name is not counted as one: strangers would fill the table with long texts.
        known = name if NAME.fullmatch(name) else ""
        wait = self._throttle.enter(address, known)
        if wait > 0:
            log.warning("login of %r from %s put off for %.0f s", known, address, wait)
            return Answer(wait=wait)
        entry = self._entries().get(known)
        with self._checking:
            fits = (entry or _NOBODY).fits(password)
        if entry is None or not fits:
            log.warning("wrong login of %r from %s", known, address)
            return Answer()
        self._throttle.succeed(address, known)
        log.info("login of %r from %s", known, address)
        return Answer(token=self._open(entry))

    def who(self, token: str) -> str | None:
        """Return whose session a token is of; ``None`` if it is none, or ended."""
        with self._lock:
            session = self._sessions.get(_hidden(token))
        if session is None or session.ends < self._clock():
            return None
        # A password that was changed, or a name that was removed, ends the session.
        same = self._entries().get(session.entry.name) == session.entry
        return session.entry.name if same else None

    def log_out(self, token: str) -> None:
        """End a session."""
        with self._lock:
            session = self._sessions.pop(_hidden(token), None)
        if session is not None:
            log.info("logout of %r", session.entry.name)

    def _open(self, entry: Entry) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._sessions = {key: s for key, s in self._sessions.items() if s.ends >= now}
            while len(self._sessions) >= MOST:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[_hidden(token)] = _Session(entry, now + LIFE)
        return token

    def _entries(self) -> dict[str, Entry]:
        try:
            return dict(self._people.entries())
        except OptionError as error:  # damaged while the server runs: nobody gets in
            log.error("nobody can log in: %s", error)
            return {}


def _hidden(token: str) -> str:
    """Return what is kept of a token, so that looking it up tells nothing about others."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()

"""Who acts: the one name that the audit trail and decisions are kept under."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from forensics.settings import current

_acting: ContextVar[str | None] = ContextVar("acting", default=None)


def account() -> str:
    """Return who acts now.

    Who logged in, while a request of theirs is answered; else the reviewer of the settings; else
    the account that runs this program.

    Raises:
        OptionError: The settings are damaged.
    """
    return _acting.get() or current().reviewer or _system_account()


@contextmanager
def acting_as(name: str | None) -> Iterator[None]:
    """Let everything that is recorded inside the block carry a name; ``None`` changes nothing."""
    token = _acting.set(name or _acting.get())
    try:
        yield
    finally:
        _acting.reset(token)


def _system_account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "unknown"

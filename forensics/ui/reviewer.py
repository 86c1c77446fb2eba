"""Who reviews: the login's name where there is a login, else the name in the page's field."""

from typing import Final

from fastapi import Request

from forensics.case.people import account
from forensics.errors import OptionError

LONGEST: Final = 60


def has_login(request: Request) -> bool:
    """Tell whether the reader logged in, so that the name is not theirs to choose."""
    return bool(getattr(request.state, "user", None))


def reviewer(request: Request, given: str) -> str:
    """Return the name that decisions are kept under.

    Args:
        request: Carries the login's name, if there is one; then nobody decides as somebody else.
        given: From the page; empty for the account that runs the server.

    Raises:
        OptionError: The name is too long, or has characters that cannot be seen.
    """
    if has_login(request):
        return str(request.state.user)
    name = given.strip()
    if len(name) > LONGEST or not name.isprintable():
        raise OptionError(f"A reviewer's name has up to {LONGEST} visible characters.")
    return name or account()

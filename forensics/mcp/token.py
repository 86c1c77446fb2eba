"""The token that every request must carry."""

import hmac
import os
import secrets
import stat
from pathlib import Path

from forensics.errors import InputError, OptionError

VARIABLE = "TRIGGERLENS_MCP_TOKEN"
SHORTEST = 32  # characters


def find_token(file: Path | None) -> tuple[str, bool]:
    """Return the token, and whether it was made now and is known to nobody yet.

    Args:
        file: Holds the token and can be read by its owner alone; made if it is not there. Without
            it the environment variable ``TRIGGERLENS_MCP_TOKEN`` holds, else a token is made.

    Raises:
        OptionError: The file can be read by others, or the token is too short.
        InputError: The file cannot be read or written.
    """
    if file is not None:
        return (_read(file), False) if file.exists() else (_write(file), False)
    given = os.environ.get(VARIABLE)
    if given is not None:
        return _checked(given.strip(), VARIABLE), False
    return secrets.token_urlsafe(32), True


def is_same(given: str, token: str) -> bool:
    """Compare two tokens in a time that does not tell how much of them is the same."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _read(file: Path) -> str:
    try:
        others = stat.S_IMODE(file.stat().st_mode) & 0o077
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The token file {file} cannot be read.") from error
    if others:
        raise OptionError(f"Others may read the token file {file}.", remedy=f"chmod 600 {file}")
    return _checked(text, str(file))


def _write(file: Path) -> str:
    made = secrets.token_urlsafe(32)
    try:
        # Never a moment in which others could read it.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(made + "\n")
    except OSError as error:
        raise InputError(f"The token file {file} cannot be written: {error.strerror}.") from error
    return made


def _checked(token: str, where: str) -> str:
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise OptionError(
            f"The token in {where} must be {SHORTEST} or more letters, digits or marks.",
            remedy="Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return token

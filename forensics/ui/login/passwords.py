"""Passwords as they are kept: scrypt (RFC 7914) of the standard library, one line a person."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Final

from forensics.errors import OptionError

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,59}")
SHORTEST: Final = 10
LONGEST: Final = 1024
# OWASP's Password Storage Cheat Sheet: N = 2^15, r = 8, p = 3; 32 MiB and some tenths of a second.
COST: Final = (2**15, 8, 3)
MOST_MEMORY: Final = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Entry:
    """One person who may log in.

    Attributes:
        name: Letters, digits and ``._@-``.
        cost: N, r and p of scrypt.
        salt: 16 random bytes.
        key: 32 bytes made of password and salt.
    """

    name: str
    cost: tuple[int, int, int]
    salt: bytes
    key: bytes

    def __str__(self) -> str:
        """Return the line that is kept; the password cannot be read from it."""
        cost = "$".join(map(str, self.cost))
        return f"{self.name}:scrypt${cost}${_text(self.salt)}${_text(self.key)}"

    def fits(self, password: str) -> bool:
        """Tell whether this is the password; as slow for a wrong one as for the right one."""
        return hmac.compare_digest(_derive(password, self.salt, self.cost), self.key)


def make_entry(name: str, password: str, cost: tuple[int, int, int] = COST) -> Entry:
    """Return what is kept of a name and a password.

    Args:
        name: Of the person.
        password: At least ten characters; any are allowed.
        cost: N, r and p of scrypt.

    Raises:
        OptionError: The name is none, or the password too short or too long.
    """
    check_name(name)
    if not SHORTEST <= len(password) <= LONGEST:
        raise OptionError(
            f"A password has {SHORTEST} to {LONGEST:,} characters.",
            remedy="Three or four words that nobody would put together are good and easy to keep.",
        )
    salt = secrets.token_bytes(16)
    return Entry(name, cost, salt, _derive(password, salt, cost))


def check_name(name: str) -> None:
    """Refuse what is no name.

    Raises:
        OptionError: It is empty, too long, or has other characters.
    """
    if not NAME.fullmatch(name):
        raise OptionError(
            f"{name[:80]!r} cannot be the name of a login.",
            remedy="Use up to 60 letters, digits and the characters . _ @ -",
        )


def read_entry(line: str) -> Entry:
    """Read what :func:`make_entry` kept.

    Raises:
        OptionError: The line is none of ours; it is not repeated in the message.
    """
    name, _, rest = line.partition(":")
    parts = rest.split("$")
    try:
        check_name(name)
        kind, n, r, p, salt, key = parts
        cost = (int(n), int(r), int(p))
        entry = Entry(name, cost, base64.b64decode(salt, validate=True),
                      base64.b64decode(key, validate=True))  # fmt: skip
    except (ValueError, binascii.Error) as error:
        raise OptionError("A line of the logins cannot be read.", remedy=_REMEDY) from error
    n_, r_, p_ = cost
    fits = n_ > 1 and n_ & (n_ - 1) == 0 and r_ > 0 and 0 < p_ <= 16 and 128 * n_ * r_ <= 2**27
    if kind != "scrypt" or not fits or len(entry.salt) < 16 or len(entry.key) != 32:
        raise OptionError(f"The login of {name!r} is no hash of scrypt.", remedy=_REMEDY)
    return entry


def _derive(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    # The same letters typed on another keyboard may come as other code points.
    given = unicodedata.normalize("NFKC", password[: LONGEST + 1]).encode("utf-8", "surrogatepass")
    n, r, p = cost
    return hashlib.scrypt(given, salt=salt, n=n, r=r, p=p, maxmem=MOST_MEMORY, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_REMEDY = "Make it again: forensics app --add-user NAME."

"""Settings of this process that Gradio reads from its environment, and those we refuse."""

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Iterable

from forensics.errors import OptionError

QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
# Sharing publishes the app through a foreign server; vibe mode runs code that a visitor writes.
REFUSED = ("GRADIO_SHARE", "GRADIO_VIBE_MODE", "GRADIO_MCP_SERVER")
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45}")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def prepare() -> None:
    """Silence telemetry and keep Gradio's files private; call before importing gradio.

    Raises:
        OptionError: The environment asks for something that would open the app to others.
    """
    for name in REFUSED:
        if os.environ.get(name, "").strip().lower() not in ("", "0", "false", "no"):
            raise OptionError(
                f"{name} is set, which would open suspicious data to others.",
                remedy=f"Unset {name}.",
            )
    os.environ.update(QUIET)
    if "GRADIO_TEMP_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="triggerlens-")  # readable by this user only
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["GRADIO_TEMP_DIR"] = folder


def check_host(host: str, *, logins: bool = False, exposed: bool = False) -> None:
    """Refuse to serve others without a login.

    Args:
        host: Where it shall listen.
        logins: Whether anybody can log in.
        exposed: Whether others reach it though it listens here only, through a proxy for instance.

    Raises:
        OptionError: Others could use it, and nobody can log in.
    """
    if logins or (host in LOOPBACK and not exposed):
        return
    beyond = f"does not listen on {host!r}" if host not in LOOPBACK else "is not shown to others"
    raise OptionError(
        f"The app has no login, so it {beyond}.",
        remedy="Make one: forensics app --add-user NAME. Or use --host 127.0.0.1 alone, and from "
        "elsewhere forward the port through SSH.",
    )


def checked_hosts(names: Iterable[str]) -> frozenset[str]:
    """Return names that the app may be asked by, in small letters.

    Raises:
        OptionError: One is no name of a host. ``*`` is none: any page could then speak for us.
    """
    for name in names:
        if not HOST_NAME.fullmatch(name):
            raise OptionError(
                f"{name[:80]!r} is not the name of a host.",
                remedy="Give it as it stands in the browser, without port: lens.example.org.",
            )
    return frozenset(name.lower() for name in names)

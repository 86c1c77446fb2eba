"""Settings of this process that Gradio reads from its environment, and those we refuse."""

import atexit
import os
import shutil
import tempfile

from forensics.errors import OptionError

QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
# Sharing publishes the app through a foreign server; vibe mode runs code that a visitor writes.
REFUSED = ("GRADIO_SHARE", "GRADIO_VIBE_MODE", "GRADIO_MCP_SERVER")
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


def check_host(host: str) -> None:
    """Refuse to serve beyond this machine: there is no login yet.

    Raises:
        OptionError: ``host`` is not a loopback name.
    """
    if host not in LOOPBACK:
        raise OptionError(
            f"The app has no login, so it does not listen on {host!r}.",
            remedy="Use --host 127.0.0.1; from elsewhere, forward the port through SSH.",
        )

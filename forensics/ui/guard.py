"""What every request must pass: a loopback name, the same origin, and headers on the way out."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from forensics.errors import OptionError
from forensics.settings import current
from forensics.ui.environment import LOOPBACK

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Gradio compiles its components in the page, hence unsafe-inline and unsafe-eval; what matters is
# that nothing can be loaded from, or sent to, anywhere else.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'self'",
        "object-src 'none'",
    )
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", POLICY.encode()),
)
# Gradio routes that this app has no use for: taking files, giving files, fetching addresses.
CLOSED = (
    "/gradio_api/upload",
    "/gradio_api/file",
    "/gradio_api/proxy",
    "/file=",
    "/proxy=",
    "/monitoring",
    "/gradio_api/mcp",
    "/gradio_api/deep_link",
    "/gradio_api/stream",
)
SCRIPTS = "/lens/"  # asked again each time (an ETag answers), so that an upgrade is seen at once
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware in front of everything, Gradio's own routes included.

    A foreign page can point a name of its own at 127.0.0.1 (DNS rebinding) or post to us from the
    user's browser; the Host and Origin headers, which it cannot forge, give both away. Our own
    changing routes ask for a header besides that no foreign form can send.

    Args:
        app: What is guarded.
        hosts: Names besides those of this machine that it may be asked by, as they were named at
            the start; without these a page of strangers could not tell us from themselves.
    """

    def __init__(self, app: App, hosts: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._hosts = LOOPBACK | hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        problem = refuse(scope, self._hosts)
        if problem:
            await _answer(send, problem)
            return
        try:
            most = current().request_megabytes << 20
        except OptionError as error:  # damaged while the server runs
            await _answer(send, str(error), 500)
            return
        if _announced(scope) > most:
            await _answer(send, f"A request may have {most >> 20:,} MB (see Settings).", 413)
            return
        taken = 0

        async def measured() -> MutableMapping[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # Nobody said how much would come: whoever reads hears that the sender is gone.
            return message if taken <= most else {"type": "http.disconnect"}

        async def sealed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in HEADERS}
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in ours]
                message["headers"] = [*kept, *HEADERS]
                if scope["path"].startswith(SCRIPTS):
                    message["headers"].append((b"cache-control", b"no-cache"))
            await send(message)

        await self._app(scope, measured, sealed)


def refuse(scope: Scope, hosts: frozenset[str] = LOOPBACK) -> str:
    """Say why a request is not served; empty if it is."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if _name(headers.get(b"host", "")).lower() not in hosts:
        return "This app answers only to the names of this machine, and to those of --allow-host."
    if scope["path"].startswith(CLOSED):
        return "This app has no such address."
    origin = headers.get(b"origin")
    changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
    if changes and origin is not None and urlsplit(origin).netloc != headers.get(b"host"):
        return "This request comes from another site."
    if changes and scope["path"].startswith("/api/") and b"x-triggerlens" not in headers:
        return "This request does not come from the app's own page."
    return ""


def _name(host: str) -> str:
    """Return the name in a Host header, without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _announced(scope: Scope) -> int:
    """Return how many bytes a request says it has; 0 where it says nothing that can be read."""
    found = [value for name, value in scope["headers"] if name.lower() == b"content-length"]
    return int(found[0]) if found and found[0].isdigit() else 0


async def _answer(send: Send, problem: str, status: int = 403) -> None:
    body = json.dumps({"error": problem}).encode()
    headers = [(b"content-type", b"application/json"), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

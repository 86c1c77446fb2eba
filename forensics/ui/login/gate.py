"""What stands between the guard and everything else: nobody passes without a session."""

import asyncio
import json
import math
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

from forensics.case.people import acting_as
from forensics.ui.guard import App, Receive, Scope, Send
from forensics.ui.login.desk import LIFE, Desk

COOKIE: Final = "triggerlens-session"
LOGIN: Final = "/api/login"
LOGOUT: Final = "/api/logout"
PUBLIC: Final = frozenset({"/lens/login/login.js", "/lens/login/login.css"})
LARGEST: Final = 8192
_PAGE = Path(__file__).parents[1] / "static" / "login" / "page.html"


class Gate:
    """ASGI middleware: every address, pictures and downloads too, needs a session.

    Routes behind it find the name as ``request.state.user``; the audit trail gets it by itself
    (:func:`forensics.case.people.account`).

    Args:
        app: What is behind it.
        desk: Who has a session.
        secure: Whether cookies go over TLS only; if not, a request that came by TLS decides.
    """

    def __init__(self, app: App, desk: Desk, *, secure: bool = False) -> None:
        self._app = app
        self._desk = desk
        self._secure = secure
        self._page = _PAGE.read_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path, posts = scope["path"], scope.get("method") == "POST"
        token = _token(scope)
        if path == LOGIN and posts:
            await self._log_in(scope, receive, send, token)
            return
        name = self._desk.who(token) if token else None
        if name is None:
            if not (path in PUBLIC and scope.get("method") in ("GET", "HEAD")):
                await self._refuse(scope, receive, send)
                return
        elif path == LOGOUT and posts:
            self._desk.log_out(token)
            await _reply(send, 200, {"ok": True}, self._cookie(scope, "", 0))
            return
        scope.setdefault("state", {})["user"] = name
        with acting_as(name):
            await self._app(scope, receive, send)

    async def _log_in(self, scope: Scope, receive: Receive, send: Send, old: str) -> None:
        name, password = _given(await _body(receive))
        if not name or not password:
            await _reply(send, 400, {"error": "Give a name and a password."})
            return
        address = (scope.get("client") or ("unknown", 0))[0]
        answer = await asyncio.to_thread(self._desk.log_in, name, password, address)
        if answer.token:
            self._desk.log_out(old)
            await _reply(send, 200, {"ok": True}, self._cookie(scope, answer.token, int(LIFE)))
        elif answer.wait:
            wait = math.ceil(answer.wait)
            told = {"error": "Too many wrong tries.", "remedy": f"Try again in {wait} s."}
            await _reply(send, 429, told, (b"retry-after", str(wait).encode()))
        else:
            await _reply(send, 401, {"error": "Name or password is wrong."})

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        accepts = _header(scope, b"accept")
        if scope["method"] in ("GET", "HEAD") and "text/html" in accepts:
            await _send(send, 401, self._page, b"text/html; charset=utf-8")
        else:
            told = {"error": "You are not logged in.", "remedy": "Load the page again to log in."}
            await _reply(send, 401, told)

    def _cookie(self, scope: Scope, token: str, life: int) -> tuple[bytes, bytes]:
        secure = "; Secure" if self._secure or scope.get("scheme") in ("https", "wss") else ""
        text = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}"
        return b"set-cookie", text.encode("ascii")


def _header(scope: Scope, name: bytes) -> str:
    return "; ".join(v.decode("latin-1") for key, v in scope["headers"] if key.lower() == name)


def _token(scope: Scope) -> str:
    """Return our cookie; by hand, for cookies of other apps on this machine may be of any form."""
    for part in _header(scope, b"cookie").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value[:200]
    return ""


async def _body(receive: Receive) -> bytes:
    """Read a small body; of a larger one nothing is kept."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST or message["type"] != "http.request":
            return b""
        if not message.get("more_body"):
            return bytes(body)


def _given(body: bytes) -> tuple[str, str]:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(found, dict):
        return "", ""
    name, password = found.get("name"), found.get("password")
    return (name, password) if isinstance(name, str) and isinstance(password, str) else ("", "")


async def _reply(
    send: Send, status: int, told: MutableMapping[str, Any], *more: tuple[bytes, bytes]
) -> None:
    await _send(send, status, json.dumps(told).encode(), b"application/json", *more)


async def _send(
    send: Send, status: int, body: bytes, kind: bytes, *more: tuple[bytes, bytes]
) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"),
               (b"content-length", str(len(body)).encode()), *more]  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

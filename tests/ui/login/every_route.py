"""Ask every route of the whole server without a login; each must answer 401.

    python -m tests.ui.login.every_route CASES

Prints how many were asked. The routes are read from the server, so a new one cannot be forgotten.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import Request
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route

from forensics.case.people import account
from forensics.ui.app import build_server
from forensics.ui.context import open_context
from forensics.ui.login.desk import Desk
from forensics.ui.login.passwords import make_entry
from forensics.ui.login.request import acting_for, user_of
from tests.ui.login.test_desk import GOOD, QUICK, Some

KNOWN = ("/", "/config", "/lens/x", "/pictures/x/x/x", "/api/cases", "/gradio_api/queue/join",
         "/gradio_api/call/x", "/api/alive", "/theme.css")  # fmt: skip
HEADER = {"x-triggerlens": "1"}


def every_route(routes: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield method and address of all routes, mounted apps included; parameters become ``x``."""
    for route in routes:
        if isinstance(route, Mount):
            yield from every_route(route.routes, prefix + route.path)
            yield "GET", f"{prefix}{route.path}/x"
        elif isinstance(route, Route):
            parts = ("x" if "{" in part else part for part in route.path.split("/"))
            path = prefix + "/".join(parts)
            yield from ((method, path) for method in route.methods or {"GET"})
        else:  # FastAPI keeps an included router in a route of another kind
            inner = getattr(route, "original_router", None)
            assert inner is not None, f"this walk does not know {route!r}"
            yield from every_route(inner.routes, prefix)


def main(cases: str) -> None:
    """Ask all of them."""
    desk = Desk(Some(make_entry("ana", GOOD, QUICK)))
    app = build_server(open_context(Path(cases)), desk=desk)
    client = TestClient(app, base_url="http://127.0.0.1:7860")
    asked = sorted(set(every_route(app.routes)))
    missing = set(KNOWN) - {path for _, path in asked}
    assert not missing, f"the walk did not find {missing}"
    for method, path in asked:
        code = client.request(method, path, headers=HEADER).status_code
        # The guard closes some of Gradio's to everybody; the login is for those who have none.
        expected = {400} if (method, path) == ("POST", "/api/login") else {401, 403}
        assert code in expected, f"{method} {path} answers {code} without a login"
        assert code != 403 or path.startswith(("/gradio_api/", "/file=", "/proxy=", "/monitoring"))
    given = {"name": "ana", "password": GOOD}
    assert client.post("/api/login", json=given, headers=HEADER).status_code == 200
    assert client.get("/config").json()["username"] == "ana"  # Gradio's own lock opens too
    check_events()
    print(len(asked), "routes asked")


def check_events() -> None:
    """Gradio hands events a request of its own; it must still tell who logged in."""
    scope: dict[str, Any] = {"type": "http", "headers": [], "state": {"user": "ana"}}
    wrapped = gr.Request(Request(scope))
    assert user_of(wrapped) == "ana"
    with acting_for(wrapped):
        assert account() == "ana"
    scope["state"] = {}
    assert user_of(gr.Request(Request(scope))) is None


if __name__ == "__main__":
    main(sys.argv[1])

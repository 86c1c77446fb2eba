"""The web server: our own routes and the Gradio page in one FastAPI app."""

import logging
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import OptionError
from forensics.settings import cases_folder, current
from forensics.ui.context import Context, open_context
from forensics.ui.environment import LOOPBACK, check_host, checked_hosts, prepare
from forensics.ui.login.desk import Desk
from forensics.ui.login.people import People
from forensics.ui.login.request import user_of

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may reach a server, and how.

    Attributes:
        host: Where it listens.
        port: On which port.
        hosts: Names it may be asked by besides those of this machine.
        certificate: Chain of TLS certificates, PEM; ``None`` for plain HTTP.
        key: Its private key, PEM.
        tls_proxy: Whether a proxy on this machine brings requests that came to it by TLS.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    hosts: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    tls_proxy: bool = False

    @property
    def exposed(self) -> bool:
        """Whether others can reach it."""
        return self.host not in LOOPBACK or bool(self.hosts) or self.tls_proxy

    @property
    def encrypted(self) -> bool:
        """Whether what goes over the network is encrypted."""
        return self.certificate is not None or self.tls_proxy


def build_server(
    context: Context, *, desk: Desk | None = None, access: Access | None = None
) -> Any:
    """Return the ASGI app of a server.

    Args:
        context: The cases it may show.
        desk: Where people log in; ``None``: whoever reaches it may use it.
        access: Who may reach it.
    """
    prepare()
    import gradio as gr

    from forensics.ui.forms.blocks import build_blocks
    from forensics.ui.forms.preload import preloads
    from forensics.ui.forms.theme import HEAD, theme

    app = gr.mount_gradio_app(
        own_routes(context), build_blocks(context), path="", server_name="127.0.0.1",
        theme=theme(), head=HEAD + preloads(),
        footer_links=[], run_history=False, enable_monitoring=False, show_error=False,
        allowed_paths=[], max_file_size="1mb", mcp_server=False, ssr_mode=False, pwa=False,
        auth_dependency=None if desk is None else user_of,
    )  # fmt: skip
    return protect(app, desk, access or Access())


def own_routes(context: Context) -> Any:
    """Return everything but the Gradio page: views, pictures, downloads, scripts."""
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from forensics.ui.problems import explain_errors
    from forensics.ui.routes import routers

    app = FastAPI(title="TriggerLens", docs_url=None, redoc_url=None, openapi_url=None)
    for router in routers(context):
        app.include_router(router)
    app.mount("/lens", StaticFiles(directory=STATIC), name="lens")
    explain_errors(app)
    return app


def protect(app: Any, desk: Desk | None, access: Access) -> Any:
    """Put guard and gate in front of an app, whatever it serves."""
    from forensics.ui.guard import Guard
    from forensics.ui.login.gate import Gate

    if desk is not None:
        app.add_middleware(Gate, desk=desk, secure=access.encrypted)
    app.add_middleware(Guard, hosts=_names(access))  # the last one added stands in front
    return app


def _names(access: Access) -> frozenset[str]:
    own = access.host not in (*LOOPBACK, "0.0.0.0", "::")  # those are no names of anybody
    return checked_hosts((*access.hosts, access.host) if own else access.hosts)


def serve(
    *, case_folder: Path | None = None, host: str = "127.0.0.1", port: int = 7860,
    access: Access | None = None,
) -> None:  # fmt: skip
    """Serve the app until it is interrupted.

    Args:
        case_folder: A case to open at once.
        host: Where to listen, if ``access`` does not say.
        port: On which port, if ``access`` does not say.
        access: Who may reach it. Where others can, there must be logins; where there are logins,
            they are asked for on this machine too.

    Raises:
        OptionError: Others could use it without a login, a setting is wrong, or the port is taken.
        CaseError: ``case_folder`` is no case.
    """
    access = access or Access(host=host, port=port)
    people = People()
    logins = bool(people.entries())
    check_host(access.host, logins=logins, exposed=access.exposed)
    _names(access)  # a wrong one is told before anything is opened
    current()  # a damaged setting is told now
    prepare()
    import uvicorn

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("forensics.login").setLevel(logging.INFO)
    context = open_context(cases_folder())
    place = _place(access)
    if case_folder is not None:
        place += f"?case={context.workspace.enter(case_folder)}"
    # A page keeps a connection open; without a limit it would keep the server from ending.
    settings = uvicorn.Config(
        build_server(context, desk=Desk(people) if logins else None, access=access),
        log_level="warning", server_header=False, timeout_graceful_shutdown=1,
        # Only a proxy may say where a request came from; else anybody could, and wait for nothing.
        proxy_headers=access.tls_proxy,
        ssl_certfile=access.certificate, ssl_keyfile=access.key,
    )  # fmt: skip
    with _listen(access.host, access.port) as listening:
        print(f"TriggerLens is at {place}", flush=True)
        if access.exposed and not access.encrypted:
            print("Passwords travel unencrypted: see “From elsewhere” in docs/app.md.", flush=True)
        if access.host in ("0.0.0.0", "::") and not access.hosts:
            print("It answers to the names of this machine only; others: --allow-host.", flush=True)
        uvicorn.Server(settings).run(sockets=[listening])


def _place(access: Access) -> str:
    host = access.hosts[0] if access.hosts else access.host
    scheme = "https" if access.encrypted else "http"
    port = "" if access.tls_proxy else f":{access.port}"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{port}/"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise OptionError(
            f"Port {port} of {host} cannot be used: {os.strerror(error.errno or 0)}.",
            remedy="Choose another with --port.",
        ) from error
    # asyncio does this only for sockets that name their protocol; connections inherit it. Without,
    # the body of every answer waits 40 ms for the browser to acknowledge its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening

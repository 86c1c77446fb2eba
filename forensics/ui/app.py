"""The web server: our own routes and the Gradio page in one FastAPI app."""

import os
import socket
from pathlib import Path
from typing import Any

from forensics.errors import OptionError
from forensics.ui.context import Context, open_context
from forensics.settings import cases_folder
from forensics.ui.environment import check_host, prepare

STATIC = Path(__file__).parent / "static"


def build_server(context: Context) -> Any:
    """Return the ASGI app of a server.

    Args:
        context: The cases it may show.
    """
    prepare()
    import gradio as gr
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from forensics.ui.forms.blocks import build_blocks
    from forensics.ui.forms.theme import HEAD, theme
    from forensics.ui.guard import Guard
    from forensics.ui.problems import explain_errors
    from forensics.ui.routes import routers

    app = FastAPI(title="TriggerLens", docs_url=None, redoc_url=None, openapi_url=None)
    for router in routers(context):
        app.include_router(router)
    app.mount("/lens", StaticFiles(directory=STATIC), name="lens")
    explain_errors(app)
    app = gr.mount_gradio_app(
        app, build_blocks(context), path="", server_name="127.0.0.1", theme=theme(), head=HEAD,
        footer_links=[], run_history=False, enable_monitoring=False, show_error=False,
        allowed_paths=[], max_file_size="1mb", mcp_server=False, ssr_mode=False, pwa=False,
    )  # fmt: skip
    app.add_middleware(Guard)
    return app


def serve(*, case_folder: Path | None = None, host: str = "127.0.0.1", port: int = 7860) -> None:
    """Serve the app until it is interrupted.

    Args:
        case_folder: A case to open at once.
        host: A loopback name.
        port: Where to listen.

    Raises:
        OptionError: ``host`` is not this machine, or the port is taken.
        CaseError: ``case_folder`` is no case.
    """
    check_host(host)
    prepare()
    import uvicorn

    context = open_context(cases_folder())
    place = f"http://{'[::1]' if host == '::1' else host}:{port}/"
    if case_folder is not None:
        place += f"?case={context.workspace.enter(case_folder)}"
    # A page keeps a connection open; without a limit it would keep the server from ending.
    settings = uvicorn.Config(
        build_server(context), log_level="warning", server_header=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    with _listen(host, port) as listening:
        print(f"TriggerLens is at {place}", flush=True)
        uvicorn.Server(settings).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise OptionError(
            f"Port {port} of {host} cannot be used: {os.strerror(error.errno or 0)}.",
            remedy="Choose another with --port.",
        ) from error

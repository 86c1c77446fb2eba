"""Serve the tools over HTTP on this machine, for those who know the token."""

import functools
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forensics import __version__
from forensics.errors import CaseError, ForensicsError, InputError, OptionError
from forensics.mcp.shelf import Shelf
from forensics.mcp.token import find_token, is_same
from forensics.mcp.tools import INSTRUCTIONS, tools

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATH = "/mcp"
LARGEST_REQUEST = 64 * 2**10  # bytes


def serve(folders: Sequence[Path], *, host: str, port: int, token_file: Path | None) -> None:
    """Serve until it is interrupted.

    Args:
        folders: Of the cases to show.
        host: A name of this machine.
        port: Where to listen.
        token_file: Holds the token; see :func:`~forensics.mcp.token.find_token`.

    Raises:
        OptionError: ``host`` is another machine's, or the port is taken.
        InputError: The SDK is not installed, or there is no usable token.
        CaseError: A folder is no case.
    """
    if host not in LOOPBACK:
        raise OptionError(
            f"This server does not listen on {host!r}: it is for programs on this machine.",
            remedy="Use --host 127.0.0.1; from elsewhere, forward the port through SSH.",
        )
    shelf = Shelf(folders)
    token, is_new = find_token(token_file)
    _check_free(host, port)
    server = build(shelf, token, host, port)
    print(f"TriggerLens answers agents at {_origin(host, port)}{PATH}, read-only.", flush=True)
    if is_new:
        print(f"Token (told once): {token}", flush=True)
    from mcp.server.transport_security import TransportSecuritySettings

    names = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    server.run(
        "streamable-http", host=host, port=port, streamable_http_path=PATH, json_response=True,
        stateless_http=True, max_request_body_size=LARGEST_REQUEST,
        # No origin is allowed: no page of a browser has business here.
        transport_security=TransportSecuritySettings(allowed_hosts=names, allowed_origins=[]),
    )  # fmt: skip


def build(shelf: Shelf, token: str, host: str, port: int) -> Any:
    """Return the server of the SDK with our tools.

    Raises:
        InputError: The SDK is not installed.
    """
    try:
        from mcp.server.auth.provider import AccessToken
        from mcp.server.auth.settings import AuthSettings
        from mcp.server.mcpserver import MCPServer
        from mcp.types import ToolAnnotations
    except ImportError as error:
        raise InputError(
            "The SDK of the Model Context Protocol is not installed.",
            remedy="pip install 'triggerlens[mcp]'",
        ) from error

    class OneToken:
        """Knows one token; there are no users and no scopes."""

        async def verify_token(self, token_given: str) -> AccessToken | None:
            if not is_same(token_given, token):
                return None
            return AccessToken(token=token_given, client_id="agent", scopes=[])

    settings = AuthSettings.model_validate(
        {"issuer_url": _origin(host, port), "resource_server_url": None}
    )
    server = MCPServer(
        "triggerlens", title="TriggerLens", instructions=INSTRUCTIONS, version=__version__,
        token_verifier=OneToken(), auth=settings, log_level="WARNING",
    )  # fmt: skip
    reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
    for tool in tools(shelf):
        server.add_tool(_told(tool), annotations=reads)
    return server


def _told(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Turn our errors into answers for the agent, without the folders that remedies name."""
    from mcp.server.mcpserver.exceptions import ToolError

    @functools.wraps(tool)
    def call(**values: Any) -> dict[str, Any]:
        try:
            return tool(**values)
        except ForensicsError as error:
            said = error.message if isinstance(error, CaseError) else str(error)
            raise ToolError(said) from error

    return call


def _origin(host: str, port: int) -> str:
    return f"http://{'[::1]' if host == '::1' else host}:{port}"


def _check_free(host: str, port: int) -> None:
    """Refuse a port that is taken, in our words; the server itself binds it a moment later."""
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise OptionError(
            f"Port {port} of {host} cannot be used: {os.strerror(error.errno or 0)}.",
            remedy="Choose another with --port.",
        ) from error

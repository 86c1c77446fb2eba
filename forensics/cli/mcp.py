"""``forensics mcp``: a read-only server for agents."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--case",
    "folders",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder of a case that may be read; give it once for each.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address.")
@click.option("--port", default=7861, show_default=True, help="Port.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="File with the token, mode 600; made if it is not there. Without it the token is "
    "TRIGGERLENS_MCP_TOKEN of the environment, else a new one that is printed once.",
)
def mcp(folders: tuple[Path, ...], host: str, port: int, token_file: Path | None) -> None:
    """Let agents read cases through the Model Context Protocol, until Ctrl-C.

    A process of its own: it runs no model, writes nothing, answers on this machine alone, and only
    to those who send the token as "Authorization: Bearer TOKEN".
    """
    from forensics.mcp.serve import serve

    serve(folders, host=host, port=port, token_file=token_file)

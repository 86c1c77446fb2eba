"""``forensics app``: the web app. The only verb that imports the UI, and only when called."""

from pathlib import Path

import click


@click.command()
@click.option("--case", "case_folder", type=click.Path(path_type=Path), help="Open this case.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address.")
@click.option("--port", default=7860, show_default=True, help="Port.")
def app(case_folder: Path | None, host: str, port: int) -> None:
    """Start the web app on this machine and serve it until Ctrl-C."""
    from forensics.ui.app import serve

    serve(case_folder=case_folder, host=host, port=port)

"""``forensics app``: the web app. The only verb that imports the UI, and only when called."""

from pathlib import Path

import click

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--case", "case_folder", type=click.Path(path_type=Path), help="Open this case.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; beyond this machine only with logins.",
)
@click.option("--port", default=7860, show_default=True, help="Port.")
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name that browsers may ask for it by; once for each.",
)
@click.option("--tls-cert", type=FILE, help="Certificate chain (PEM): serve HTTPS.")
@click.option("--tls-key", type=FILE, help="Private key of the certificate (PEM).")
@click.option(
    "--tls-proxy", is_flag=True, help="A proxy on this machine speaks TLS and passes requests on."
)
@click.option("--add-user", metavar="NAME", help="Ask for a password, keep its hash, and end.")
@click.option("--remove-user", metavar="NAME", help="Take a login away, and end.")
def app(
    case_folder: Path | None, host: str, port: int, hosts: tuple[str, ...],
    tls_cert: Path | None, tls_key: Path | None, tls_proxy: bool,
    add_user: str | None, remove_user: str | None,
) -> None:  # fmt: skip
    """Start the web app on this machine and serve it until Ctrl-C.

    Others may reach it only with a login: see docs/app.md.
    """
    if add_user is not None:
        _add(add_user)
        return
    if remove_user is not None:
        _remove(remove_user)
        return
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together.")
    from forensics.ui.app import Access, serve

    serve(
        case_folder=case_folder,
        access=Access(host=host, port=port, hosts=hosts, certificate=tls_cert, key=tls_key,
                      tls_proxy=tls_proxy),
    )  # fmt: skip


def _add(name: str) -> None:
    from forensics.ui.login.passwords import check_name
    from forensics.ui.login.people import add_person, users_file

    check_name(name)
    password = click.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
    new = add_person(name, password)
    click.echo(f"{name} {'can log in' if new else 'has a new password'}; kept in {users_file()}.")


def _remove(name: str) -> None:
    from forensics.ui.login.people import remove_person

    remove_person(name)
    click.echo(f"{name} can log in no more.")

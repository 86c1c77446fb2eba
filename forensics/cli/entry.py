"""Entry point: find the verb, run it, turn errors into exit codes."""

import importlib
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

import click

from forensics import __version__
from forensics.errors import ForensicsError

CANCELLED = 130

# verb -> (module:command, line of help). Help texts stand here so that listing imports nothing.
VERBS = {
    "demo": ("forensics.cli.demo:demo", "Open a shipped demo case, or list them."),
    "case": ("forensics.cli.case:case", "Make a case, show what is in one, verify it."),
    "scan": ("forensics.cli.scan:scan", "Look for evidence in a case."),
    "transplant": (
        "forensics.cli.transplant:transplant",
        "Test whether a suspected trigger works on other images.",
    ),
    "review": ("forensics.cli.review:review", "List what to look at next, and decide about it."),
    "repair": ("forensics.cli.repair:repair", "Remove a backdoor, measured before and after."),
    "evaluate": ("forensics.cli.evaluate:evaluate", "Measure clean accuracy and attack success."),
    "self-test": (
        "forensics.cli.self_test:self_test",
        "Plant a known trigger in a copy and see whether it is found.",
    ),
    "tune": ("forensics.cli.tune:tune", "Fine-tune the case's base on its data."),
    "export": (
        "forensics.cli.export:export",
        "Write ids, a cleaned set, a repaired model, a report.",
    ),
    "sign": ("forensics.cli.sign:sign", "Sign what the case has found, by name."),
    "lab": ("forensics.cli.lab:lab", "Draw data, train tiny models, plant a backdoor."),
    "methods": ("forensics.cli.methods:list_methods", "List the methods: needs, gives, paper."),
    "doctor": ("forensics.cli.doctor:doctor", "Say what this machine has and what is missing."),
    "app": ("forensics.cli.app:app", "Start the web app."),
    "mcp": ("forensics.cli.mcp:mcp", "Let agents read cases, on this machine and with a token."),
}


class LazyGroup(click.Group):
    """A group that imports a verb's module only when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of an investigation."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="forensics")
def root() -> None:
    """Find, prove and remove backdoors in vision-language models and their training data.

    Every verb takes --json to print one JSON object on stdout. Exit codes: 0 finished, whatever
    the verdict; 2 usage or input error; 3 the job failed; 130 cancelled.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    warnings.showwarning = _show_warning
    sys.exit(run(arguments))


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Write our own warnings for people; what libraries warn of keeps its place in the source."""
    ours = category.__module__.partition(".")[0] == "forensics"
    text = (
        f"Warning: {message}\n"
        if ours
        else warnings.formatwarning(message, category, filename, lineno, line)
    )
    click.echo(text, err=True, nl=False)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    try:
        code = root.main(
            args=None if arguments is None else list(arguments),
            prog_name="forensics",
            standalone_mode=False,
        )
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("Cancelled.", err=True)
        return CANCELLED
    except ForensicsError as error:
        click.echo(f"Error: {error}", err=True)
        return error.exit_code

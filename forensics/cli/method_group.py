"""A verb with one subcommand for every registered method of a kind, such as ``scan METHOD``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from forensics.api.running import run_method
from forensics.case import Case
from forensics.cli.flags import F, case_flag, given, option_flags
from forensics.cli.output import emit, json_flag
from forensics.cli.progress import progress_bar
from forensics.errors import InputError
from forensics.registry import MethodSpec, find_method, load_object, methods
from forensics.runs import Run

Outcome = tuple[dict[str, Any], Callable[[], str]]
Tell = Callable[[Case, Run, dict[str, Any]], Outcome]


class MethodGroup(click.Group):
    """Flags are made from a method's options.

    Args:
        kind: Of the methods, as in the registry.
        tell: Case, run and result -> what ``--json`` prints beside the run, and the text for
            people.
        attributes: As of :class:`click.Group`.
    """

    def __init__(self, *, kind: str, tell: Tell, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.kind, self.tell = kind, tell

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the methods."""
        return [spec.name for spec in methods().values() if spec.kind == self.kind]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Build the subcommand of one method, found by name or alias."""
        try:
            spec = find_method(cmd_name)
        except InputError:
            return None
        return _command(spec, self.tell) if spec.kind == self.kind else None


def _command(spec: MethodSpec, tell: Tell) -> click.Command:
    @click.command(spec.name, help=_help(spec))
    @case_flag
    @click.option("--resume", help="Id of a run that was cancelled, failed or killed.")
    @_variant_flag(spec)
    @option_flags(load_object(spec.options))
    @json_flag
    def command(
        case_folder: Path, resume: str | None, as_json: bool, variant: str | None = None,
        **values: Any,
    ) -> None:  # fmt: skip
        with progress_bar(spec.name) as progress:
            done = run_method(
                case_folder,
                spec,
                given(values),
                variant=variant,
                resume=resume,
                progress=progress,
            )
        listed, text = tell(done.case, done.run, done.result)
        emit({"run": done.id, **listed}, as_json, text)

    return command


def _variant_flag(spec: MethodSpec) -> Callable[[F], F]:
    """Offer a method's variants; one without any gets no flag."""
    if not spec.variants:
        return lambda function: function
    told = " ".join(f"{one.name}: {one.title}. {one.words}" for one in spec.variants)
    names = click.Choice([one.name for one in spec.variants])
    return click.option(
        "--variant",
        type=names,
        help=f"Options that belong together; what is given beside them goes before. {told}",
    )


def _help(spec: MethodSpec) -> str:
    source = f"\n\nSource: {spec.paper}, arXiv {spec.arxiv}." if spec.paper else ""
    return f"{spec.title}.\n\nNeeds {spec.needs}. Gives {spec.gives}.{source}"

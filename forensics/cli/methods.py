"""``forensics methods``: what there is."""

import click

from forensics.api.listing import markdown, method_facts
from forensics.cli.output import emit, json_flag
from forensics.registry import KINDS, MethodSpec, methods


@click.command("methods")
@click.option(
    "--markdown", "as_page", is_flag=True, help="Print docs/method-list.md, with options."
)
@json_flag
def list_methods(as_page: bool, as_json: bool) -> None:
    """List the methods: what each needs, gives and follows.

    JSON: methods [name, alias, kind, title, needs, gives, paper, arxiv, reconstruction,
    builds_on, acts_on].
    """
    if as_page:
        click.echo(markdown(), nl=False)
        return
    listed = [method_facts(spec) for spec in methods().values()]
    emit({"methods": listed}, as_json, lambda: "\n\n".join(map(_describe, methods().values())))


def _describe(spec: MethodSpec) -> str:
    name = spec.name + (f" ({spec.alias})" if spec.alias else "")
    lines = [f"{name}: {spec.title}", f"  needs  {spec.needs}", f"  gives  {spec.gives}"]
    lines.append(f"  examines {KINDS[spec.acts_on]}")
    if spec.paper:
        mark = " (reconstruction)" if spec.reconstruction else ""
        lines.append(f"  paper  {spec.paper}, arXiv {spec.arxiv}{mark}")
    return "\n".join(lines)

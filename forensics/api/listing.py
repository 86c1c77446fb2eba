"""The list of methods as a page of the documents, made from the registry alone."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from forensics.options import OptionField, describe_options
from forensics.registry import KINDS, MethodSpec, Variant, load_object, methods

HEADINGS = {
    "scan": "Look for evidence: `forensics scan`",
    "transplant": "Test a suspected trigger: `forensics transplant`",
    "repair": "Remove a backdoor: `forensics repair`",
    "tune": "Tune: `forensics tune`",
    "evaluate": "Measure: `forensics evaluate`",
    "self-test": "Would a trigger be found: `forensics self-test`",
}
HEAD = """# Every method and its options

This page is made by `forensics methods --markdown`; a method that another package adds appears in
it like ours. What each does, and what it cannot show, is in [methods.md](methods.md).
"""


def method_facts(spec: MethodSpec) -> dict[str, Any]:
    """Return what is told of a method, without what only the program needs."""
    hidden = {"options", "job"}
    return {key: value for key, value in asdict(spec).items() if key not in hidden}


def markdown() -> str:
    """Write all methods and their options as one Markdown page."""
    found = list(methods().values())
    kinds = dict.fromkeys([*HEADINGS, *(spec.kind for spec in found)])
    parts = [HEAD]
    for kind in kinds:
        of_kind = [spec for spec in found if spec.kind == kind]
        if of_kind:
            parts += [f"## {HEADINGS.get(kind, kind.capitalize())}\n", *map(_method, of_kind)]
    return "\n".join(parts)


def _method(spec: MethodSpec) -> str:
    alias = f" (`{spec.alias}`)" if spec.alias else ""
    rebuilt = " (reconstruction)" if spec.reconstruction else ""
    source = f" Source: {_cell(spec.paper)}, arXiv {spec.arxiv}." if spec.paper else ""
    lines = [
        f"### {spec.name}{rebuilt}",
        "",
        "| method | examines | needs | gives |",
        "|---|---|---|---|",
        f"| `{spec.name}`{alias} | {KINDS[spec.acts_on]} | {_cell(spec.needs)} "
        f"| {_cell(spec.gives)} |",
        "",
        f"{_cell(spec.title)}.{source}",
        "",
        *_options(describe_options(load_object(spec.options))),
        *(_variant(one) for one in spec.variants),
    ]
    return "\n".join(lines)


def _options(found: tuple[OptionField, ...]) -> Iterator[str]:
    if not found:
        return
    yield "| option | default | what it says |"
    yield "|---|---|---|"
    for option in found:
        default = "" if option.default is None else f"`{option.default}`"
        listed = ", ".join(f"`{choice}`" for choice in option.choices)
        choices = f" One of {listed}." if listed else ""
        yield f"| `{option.flag}` | {default} | {_cell(option.help)}{choices} |"
    yield ""


def _variant(one: Variant) -> str:
    changed = ", ".join(f"{name} {value}" for name, value in one.options.items())
    return (
        f"`--variant {one.name}`: {_cell(one.title)}. {_cell(one.words)} Sets {_cell(changed)}.\n"
    )


def _cell(text: str) -> str:
    """Keep a text inside its cell: another package wrote some of them."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())

"""Gradio controls for a method's options, from the dataclass that also makes its flags."""

from typing import Any

import gradio as gr

from forensics.options import OptionField, describe_options

# What a person decides before a scan; the rest has good defaults and is folded away.
FIRST = (
    "mode", "tau", "hosts", "donors", "views", "controls", "features", "clusterer", "neighbours",
    "min_dist", "batch_size", "max_samples",
)  # fmt: skip
LABELS = {
    "mode": "Rule that decides",
    "tau": "Gate τ",
    "batch_size": "Samples at once",
    "max_samples": "Random subset of",
    "init": "Start of the fits",
    "high_side_guard": "High-side guard",
    "scale": "Scale entropies",
    "run": "Scan it goes by",
    "base": "Ask the base model too",
    "level": "Chance of a false split",
    "rescan": "Measure again",
    "views": "Views of each sample",
    "controls": "Random controls",
    "donors": "Patches cut from",
    "hosts": "Pictures to paste on",
    "features": "Compare samples by",
    "clusterer": "Find groups by",
    "neighbours": "Neighbours that shape the map",
    "min_dist": "Least distance on the map",
    "k": "Neighbours of the scores",
    "metric": "Compare features by",
    "cluster_on": "Find groups on",
    "min_cluster": "Smallest group",
    "components": "Gaussians of the mixture",
    "exclude": "Samples to put aside",
}
CHOICES = {
    "root": "formula (root)", "code": "code", "guarded": "guarded (ours)", "hdbscan": "HDBSCAN",
    "gmm": "Gaussians",
}  # fmt: skip
UNSET = {"max_samples": "all", "run": "the latest", "exclude": "none"}
LONGEST_HELP = 90


def option_controls(options: type[Any], method: str) -> tuple[list[str], list[Any]]:
    """Lay out the controls of an options dataclass.

    Must be called inside a Blocks context.

    Args:
        options: The dataclass.
        method: Whose options they are, for the ids of the controls.

    Returns:
        Names of the options, and their components in the same order.
    """
    described = {field.name: field for field in describe_options(options)}
    first = [described[name] for name in FIRST if name in described]
    rest = [field for name, field in described.items() if name not in FIRST]
    components = _pairs(first, method)
    if rest:
        with gr.Accordion("More options", open=False, elem_id=f"more-{method}"):
            components += _pairs(rest, method)
    return [field.name for field in first + rest], components


def _pairs(described: list[OptionField], method: str) -> list[Any]:
    """Lay controls out two by two."""
    components = []
    for start in range(0, len(described), 2):
        with gr.Row(elem_classes="tl-options"):
            components += [option_control(each, method) for each in described[start : start + 2]]
    return components


def read_values(names: list[str], values: tuple[Any, ...]) -> dict[str, Any]:
    """Return option values as given; an emptied field means the default."""
    given = dict(zip(names, values, strict=True))
    return {name: value for name, value in given.items() if value not in (None, "")}


def option_control(field: OptionField, method: str) -> Any:
    """Return the control of one option of a method."""
    label = LABELS.get(field.name, field.name.replace("_", " ").capitalize())
    common: dict[str, Any] = {
        "label": label,
        "info": _brief(field.help),
        "elem_id": f"option-{method}-{field.name.replace('_', '-')}",
        "min_width": 170,
    }
    if field.choices:
        named = [(CHOICES.get(choice, choice), choice) for choice in field.choices]
        return gr.Radio(named, value=field.default, **common)
    if field.kind is bool:
        return gr.Checkbox(value=bool(field.default), **common)
    if field.default is None:  # a number field cannot be empty: it would say 0
        return gr.Textbox(value="", placeholder=_unset(field.name), max_lines=1, **common)
    if field.kind in (int, float):
        return gr.Number(
            value=field.default, minimum=field.minimum, maximum=field.maximum,
            precision=0 if field.kind is int else None,
            step=1 if field.kind is int else 0.1, **common,
        )  # fmt: skip
    return gr.Textbox(value=field.default, max_lines=1, **common)


def _unset(name: str) -> str:
    """Say what an option without a value means."""
    return UNSET.get(name, "automatic")


def _brief(text: str) -> str:
    """Return the first sentence, or as much of it as fits beside a control."""
    sentence = text.split(". ")[0].rstrip(".")
    return sentence if len(sentence) <= LONGEST_HELP else f"{sentence.partition(':')[0]}"

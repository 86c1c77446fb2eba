"""Gradio controls for a method's options, from the dataclass that also makes its flags."""

import math
import re
from typing import Any

import gradio as gr

from forensics.options import OptionField, describe_options
from forensics.ui.forms import repair_words

# What a person decides before a scan; the rest has good defaults and is folded away.
FIRST = (
    "mode", "tau", "hosts", "donors", "views", "controls", "features", "clusterer", "neighbours",
    "min_dist", "batch_size", "max_samples", "form", "method", "seeds", "images", "pool",
    "candidates", "target", "pictures", "shots", "test", "fresh",
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
    "form": "Form of the trigger",
    "method": "Search by",
    "seeds": "Reconstructions a class",
    "images": "Pictures of the pool",
    "pool": "Other pictures than the case’s",
    "candidates": "Only these classes",
    "start": "Where a search begins",
    "budget": "Largest change of a pixel",
    "sides": "Sides of the patch",
    "rate": "Step of the optimiser",
    "cut": "Cut of the anomaly index",
    "gate": "Gate of success",
    "confidence": "Sure of a class from",
    "fewest": "Fewest pictures of a class",
    "require_content": "Refuse a pool without content",
    "at_once": "Pictures in one pass",
    "target": "Class whose trigger is meant",
    "pictures": "Pictures to test on",
    "shots": "Labelled pictures to tune on",
    "test": "Labelled pictures to measure on",
    "per_class": "Pictures a class to tune on",
    "copies": "Trigger on the copies",
    "fresh": "Scan the result anew",
    "fresh_seeds": "Reconstructions of the new scan",
    "fresh_pool": "Pictures of the new scan",
    "max_test": "Pictures to measure on, at most",
    "trigger": "The attacker’s trigger, if known",
    "answer": "The class it leads to",
}
# Names that mean something else in one method.
OWN_LABELS = {
    ("trigger-inversion", "batch_size"): "Pictures a step",
    ("trigger-transplant", "candidates"): "Pictures to look among",
    ("trigger-transplant", "hosts"): "Pictures to report on",
    ("trigger-transplant", "reference"): "Ask a reference, too",
    ("trigger-tuning", "batch_size"): "Pairs a step",
    ("trigger-tuning", "controls"): "Tune controls, too",
}
OWN_HELP = {
    ("trigger-inversion", "form"): "Faint everywhere, a pattern through a mask, or a small square",
    ("trigger-inversion", "method"): "Neural Cleanse is the baseline: the smallest mask",
    ("trigger-inversion", "mode"): "Both cuts are reported; this one decides",
    ("trigger-inversion", "pool"): "Without labels, such as imagefolder:DIR",
    ("trigger-inversion", "candidates"): "The others are then not covered",
    ("trigger-inversion", "budget"): "By an additive trigger",
    ("trigger-inversion", "shortcuts"): "exact: the same numbers but for rounding",
    ("trigger-transplant", "pictures"): "Such as imagefolder:DIR; labels are not read",
    ("trigger-tuning", "shots"): "Such as imagefolder:DIR",
    ("trigger-tuning", "test"): "Such as imagefolder:DIR; none that were tuned on",
    ("trigger-tuning", "trigger"): "Spelt as for evaluate, such as patch:size=8",
}
CHOICES = {
    "root": "formula (root)", "code": "code", "guarded": "guarded (ours)", "hdbscan": "HDBSCAN",
    "gmm": "Gaussians", "inspector": "CLIP-Inspector", "neural-cleanse": "Neural Cleanse",
    "ce": "cross entropy",
}  # fmt: skip
UNSET = {
    "max_samples": "all", "run": "the latest", "exclude": "none", "pool": "none",
    "candidates": "all, or a|b|c", "classes": "those of the model", "target": "the one found",
    "trigger": "not known", "answer": "not known", "templates": "a photo of a {}.",
    "pictures": "what is at hand", "shots": "the demo’s own", "test": "the demo’s own",
}  # fmt: skip
LONGEST_HELP = 90
_LEVELS = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*/\s*255")


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
    wanted = repair_words.first(method) or FIRST
    first = [described[name] for name in wanted if name in described]
    rest = [field for name, field in described.items() if name not in wanted]
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
    return {name: _number(value) for name, value in given.items() if value not in (None, "")}


def _number(value: Any) -> Any:
    """Read a change of a pixel as the field writes it, ``4/255``; leave all else as it is."""
    found = _LEVELS.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(found[1]) / 255 if found else value


def option_control(field: OptionField, method: str) -> Any:
    """Return the control of one option of a method."""
    own = (method, field.name)
    plain = field.name.replace("_", " ").capitalize()
    label = OWN_LABELS.get(own) or repair_words.label(method, field.name)
    label = label or LABELS.get(field.name, plain)
    brief = OWN_HELP.get(own) or repair_words.brief(method, field.name)
    common: dict[str, Any] = {
        "label": label,
        "info": brief or _brief(field.help),
        "elem_id": f"option-{method}-{field.name.replace('_', '-')}",
        "min_width": 170,
    }
    if field.choices:
        words = CHOICES | repair_words.choices(method, field.name)
        named = [(words.get(choice, choice), choice) for choice in field.choices]
        return gr.Radio(named, value=field.default, **common)
    if field.kind is bool:
        return gr.Checkbox(value=bool(field.default), **common)
    if field.default is None:  # a number field cannot be empty: it would say 0
        return gr.Textbox(value="", placeholder=_unset(method, field.name), max_lines=1, **common)
    if field.name == "budget" and float(255 * field.default).is_integer():
        # As a decimal it would be seen, and given back, rounded.
        return gr.Textbox(value=f"{round(255 * field.default)}/255", max_lines=1, **common)
    if field.kind in (int, float):
        return gr.Number(
            value=field.default, minimum=field.minimum, maximum=field.maximum,
            precision=0 if field.kind is int else None,
            step=1 if field.kind is int else _step(field.default), **common,
        )  # fmt: skip
    return gr.Textbox(value=field.default, max_lines=1, **common)


def _step(default: float) -> float:
    """Return by how much the arrows of a number field move it."""
    if abs(default) >= 0.1 or not default:
        return 0.1
    return float(min(0.001, 10.0 ** math.floor(math.log10(abs(default)))))


def _unset(method: str, name: str) -> str:
    """Say what an option without a value means."""
    return repair_words.unset(method, name) or UNSET.get(name, "automatic")


def _brief(text: str) -> str:
    """Return the first sentence, or as much of it as fits beside a control."""
    sentence = text.split(". ")[0].rstrip(".")
    return sentence if len(sentence) <= LONGEST_HELP else f"{sentence.partition(':')[0]}"

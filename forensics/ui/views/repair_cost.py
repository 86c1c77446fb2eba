"""What a repair will take, in words, before it is started."""

from collections.abc import Mapping
from typing import Any

from forensics.case import Case
from forensics.options import describe_options
from forensics.registry import MethodSpec, load_object
from forensics.runs import State
from forensics.ui.views.cost import span

WORK = ("epochs", "steps", "per_class", "max_pairs", "max_test")  # options that time goes by


def repair_cost(case: Case, spec: MethodSpec) -> str:
    """Say what a repair with its defaults does, and what the last one on this case took.

    Nothing is guessed: a case has one model, and a time is told only where one was measured.
    """
    defaults = {f.name: f.default for f in describe_options(load_object(spec.options))}
    done = _work(defaults)
    for run in case.runs(spec.name):
        if run.status().state is not State.FINISHED:
            continue
        seconds = run.result().get("seconds")
        if isinstance(seconds, int | float):
            other = _differing(run.options, defaults)
            return f"{done} The last one on this case took {span(float(seconds))}{other}."
    return f"{done} Not timed on this case yet; once it runs, the time left is shown."


def _work(defaults: Mapping[str, Any]) -> str:
    parts = []
    epochs = defaults.get("epochs")
    if "overfit_epochs" in defaults:
        parts.append(
            f"up to {defaults['overfit_epochs']} passes over the pairs that match badly, then up "
            f"to {defaults['steps']:,} steps of unlearning"
        )
    elif "per_class" in defaults:
        parts.append(f"{epochs:,} passes over {defaults['per_class']:,} pictures a class")
    elif "max_pairs" in defaults:
        parts.append(f"{epochs:g} passes over at most {defaults['max_pairs']:,} pairs")
    if "max_test" in defaults:
        parts.append(
            f"before and after it at most {defaults['max_test']:,} pictures are measured, with and "
            "without the trigger"
        )
    text = "; ".join(parts) or "no figures"
    return f"{text[0].upper()}{text[1:]}."


def _differing(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    told = [
        f"{name.replace('_', ' ')} {options[name]:,}"
        for name in WORK
        if isinstance(options.get(name), int | float) and options[name] != defaults.get(name)
    ]
    return f" ({', '.join(told)})" if told else ""

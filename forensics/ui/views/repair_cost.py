"""What a repair will take, in words, before it is started."""

from collections.abc import Mapping
from typing import Any

from forensics.case import Case
from forensics.options import describe_options
from forensics.registry import MethodSpec, load_object
from forensics.runs import Run, State
from forensics.ui.views.cost import span
from forensics.ui.views.repair_needs_language import LANGUAGE

WORK = ("epochs", "steps", "per_class", "max_pairs", "max_test")  # options that time goes by


def repair_cost(case: Case, spec: MethodSpec) -> str:
    """Say what a repair does as it stands, and what the last one on this case took.

    As it stands: with its defaults, and what the case suggests before these. Nothing is guessed: a
    case has one model, and a time is told only where one was measured.
    """
    kind = load_object(spec.options)
    defaults = {f.name: f.default for f in describe_options(kind)}
    defaults |= case.suggested(spec.name, kind)
    language = spec.acts_on == LANGUAGE
    done = _tuning(defaults, case.manifest.samples) if language else _work(defaults)
    for run in case.runs(spec.name):
        if run.status().state is not State.FINISHED:
            continue
        seconds = run.result().get("seconds")
        if isinstance(seconds, int | float):
            other = _differing(run.options, defaults)
            told = f"{done} The last one on this case took {span(float(seconds))}{other}."
            return told + (_at_its_pace(run, defaults, case.manifest.samples) if language else "")
    return f"{done} Not timed on this case yet; once it runs, the time left is shown."


def _tuning(defaults: Mapping[str, Any], samples: int) -> str:
    """Say what a repair of a language model does; ``separation`` means two views a sample."""
    steps = _steps(defaults, samples)
    views = ", two views of each" if "separation" in defaults else ""
    return (
        f"About {steps:,} steps of {defaults['batch_size']:,} samples{views}: "
        f"{defaults['epochs']:g} passes over what is not left out. Before and after it at most "
        f"{defaults['max_test']:,} other samples are asked: untouched, with the trigger, and with "
        "the trigger under a mask; where a trigger is known, so is the base once, for the floor."
    )


def _steps(options: Mapping[str, Any], samples: int) -> int:
    return max(1, round(float(options["epochs"]) * samples / int(options["batch_size"])))


def _at_its_pace(run: Run, defaults: Mapping[str, Any], samples: int) -> str:
    """Say how long all steps take, if each takes what it took in another run."""
    result, options = run.result(), run.options
    done, seconds = result.get("steps"), result.get("tuning_seconds")
    alike = options.get("batch_size") == defaults["batch_size"]
    if not done or not isinstance(seconds, int | float) or not alike:
        return ""
    return f" At its pace, tuning takes {span(_steps(defaults, samples) * float(seconds) / done)}."


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

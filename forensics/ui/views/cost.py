"""What a run of a method will take, in words, before it is started."""

import json
import math

from forensics.case import Case
from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.errors import ForensicsError
from forensics.jobs.self_test.options import SelfTestOptions
from forensics.models.uri import parse_model_uri
from forensics.options import build_options
from forensics.runs import Run, State

INVERSION = "trigger-inversion"
SELF_TEST = "self-test"


def method_cost(case: Case, method: str) -> str | None:
    """Say what a run takes with the defaults, or what the case suggests instead.

    The time comes from an earlier run on the case, which has the same model and data; nothing is
    guessed where none was timed.

    Returns:
        A sentence or two; ``None`` for methods that say nothing more than the registry.
    """
    if method == INVERSION:
        return _inversion(case)
    if method == SELF_TEST:
        return _self_test(case)
    if method.startswith("trigger-"):
        timed = _latest(case, method)
        return None if timed is None else f"The last one took {span(timed[1])}."
    return None


def last_time(case: Case, method: str) -> str:
    """Say what the last run on the case took, or that its time is unknown and why."""
    timed = _latest(case, method)
    if timed is None:
        return "Time unknown: it was not timed on this case yet."
    return f"The last one took {span(timed[1])}."


def _inversion(case: Case) -> str:
    given = case.suggested(INVERSION, TriggerInversionOptions)
    options = build_options(TriggerInversionOptions, given)
    pictures = min(options.images, case.manifest.samples)
    steps = options.epochs * math.ceil(pictures / options.batch_size)
    timed = _latest(case, INVERSION)
    classes = len(timed[0].result()["classes"]) if timed else class_count(case)
    many = f"{classes:,} classes" if classes else "every class"
    work = f"{many} × {options.seeds} seeds × {steps} steps of {options.batch_size} pictures"
    if timed is None:
        return (
            f"{work[0].upper()}{work[1:]}. It was not timed on this case yet; the bar at the top "
            "tells the time left after the first classes."
        )
    run, seconds = timed
    done = len(run.result()["classes"]) * int(run.options.get("seeds") or 1)
    done *= int(run.result().get("steps") or steps)
    share = (classes or 1) * options.seeds * steps / max(1, done)
    return f"About {span(seconds * share)}: {work}, as timed on this case before."


def _self_test(case: Case) -> str:
    timed = _latest(case, SELF_TEST)
    if timed is not None:
        return f"The last one took {span(timed[1])}."
    options = build_options(SelfTestOptions, case.suggested(SELF_TEST, SelfTestOptions))
    clip = case.manifest.kind == "clip"
    rows = min(options.samples * (2 if clip else 1), case.manifest.samples)
    return (
        f"Copies up to {rows:,} {'pairs' if clip else 'rows'}, tunes a model on them and scans "
        "that: minutes with a small model, hours with a large one on a CPU. Not timed on this case "
        "yet."
    )


def class_count(case: Case) -> int | None:
    """Return how many classes the case's learnt prompts are for; ``None`` without such a file."""
    from safetensors import SafetensorError, safe_open

    try:
        prompts = parse_model_uri(case.manifest.model).prompts
        if prompts is None or prompts.suffix != ".safetensors":
            return None
        with safe_open(prompts, framework="numpy") as file:
            names = json.loads((file.metadata() or {}).get("classes", "null"))
    except (ForensicsError, OSError, SafetensorError, ValueError):
        return None  # the scan says what is wrong with the model; this is only an estimate
    return len(names) if isinstance(names, list) and names else None


def _latest(case: Case, method: str) -> tuple[Run, float] | None:
    for run in case.runs(method):
        if run.status().state is State.FINISHED:
            seconds = run.result().get("seconds")
            if isinstance(seconds, int | float) and seconds > 0:
                return run, float(seconds)
    return None


def span(seconds: float) -> str:
    """Write a time as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

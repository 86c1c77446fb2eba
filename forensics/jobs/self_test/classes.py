"""Trigger inversion on the planted copy: is the planted class named, and which others are?"""

from collections.abc import Mapping
from typing import Any, Final

from forensics.case import Case
from forensics.detectors.options.trigger_inversion import BETWEEN
from forensics.jobs.bar import Told
from forensics.jobs.self_test.choosing import latest
from forensics.jobs.self_test.nested import perform, same_options
from forensics.jobs.self_test.options import AUTO, SelfTestOptions
from forensics.runs import RunContext
from forensics.worker.models import ModelCache

INVERSION: Final = "trigger-inversion"
SHOWN: Final = 12
_KEPT: Final = ("class", "anomaly_index", "loss", "success", "content_success",
                "reference_success", "valid")  # fmt: skip
_NOT_OURS: Final = ("candidates", "classes")  # all classes of the copy are searched
Result = dict[str, Any]


def invert(
    case: Case, inner: Case, options: SelfTestOptions, classes: tuple[str, ...], target: str,
    context: RunContext, told: Told, models: ModelCache,
) -> Result:  # fmt: skip
    """Search triggers as the case's own scan did, and tell of the planted class.

    Returns:
        ``method``, ``run``, ``form``, ``mode``, ``verdict``, ``target`` (planted), ``named``
        (``None`` if no class is), ``planted_named``, ``rank`` of the planted class by the
        deciding statistic (1 = stands out most; ``None`` without one), ``n`` classes,
        ``anomaly_index`` and other figures of it, ``extra_named`` (other classes above the cut),
        ``lines`` (the classes that stand out most), ``cut``.
    """
    run, result = perform(inner, INVERSION, _asked(case, options, classes), context, told, models)
    lines = sorted(result["classes"], key=lambda line: _size(line, result), reverse=True)
    own = next(line for line in lines if line["class"] == target)
    others = [line for line in lines if line is not own and _stands_out(line, result)]
    return {
        "method": INVERSION,
        "run": run.id,
        "form": result["form"],
        "mode": result["mode"],
        "budget": result["budget"],
        "reference": result["reference"],
        "verdict": result["verdict"],
        "found_sentence": result["sentence"],
        "target": target,
        "named": result["target"],
        "planted_named": result["target"] == target,
        "rank": None if _size(own, result) == _NEVER else 1 + lines.index(own),
        "n": len(lines),
        "cut": result["rules"][result["mode"]]["cut"],
        **{name: own[name] for name in _KEPT[1:]},
        "extra_named": [line["class"] for line in others],
        "lines": [{name: line[name] for name in _KEPT} for line in lines[:SHOWN]],
    }


def _asked(case: Case, options: SelfTestOptions, classes: tuple[str, ...]) -> Result:
    own = same_options(case, INVERSION, latest(case, INVERSION))
    asked = {name: value for name, value in own.items() if name not in _NOT_OURS}
    if options.form != AUTO:
        asked["form"] = options.form
    asked["images"] = min(int(asked.get("images") or options.images), options.images)
    listed = {"classes": BETWEEN.join(classes)} if classes else {}
    return {**asked, **listed, "seeds": options.seeds, "seed": options.seed}


_NEVER: Final = float("-inf")


def _size(line: Mapping[str, Any], result: Mapping[str, Any]) -> float:
    """Return the statistic of the rule that decides."""
    if result["mode"] != "content":
        value = line["anomaly_index"]
    elif line["content_success"] is None:
        value = None
    else:
        value = line["content_success"] - (line["reference_success"] or 0.0)
    return _NEVER if value is None else float(value)


def _stands_out(line: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    cut = result["rules"][result["mode"]]["cut"]
    return bool(line["valid"]) and cut is not None and _size(line, result) > cut

"""The transplant test of a reconstructed trigger, for the Triggers tab."""

from typing import Any

from forensics.case import Case
from forensics.detectors.transplant.arms import CLASSES, SCRAMBLED, SUSPECTED
from forensics.runs import Run, State
from forensics.runs.plain import plain
from forensics.ui.views.gallery import short
from forensics.ui.views.triggers import NOT_CLEAN

METHOD = "trigger-transplant"
LABELS = {
    SUSPECTED: "Reconstructed trigger",
    CLASSES: "Other classes’ triggers",
    SCRAMBLED: "Same pixels, shuffled",
}
REFERENCE = "Same trigger, reference"
SHOWN = 6


def latest_about(case: Case, method: str, scan: str) -> Run | None:
    """Return the newest finished run of a method that goes by a scan; ``None`` without one."""
    for run in case.runs(method):
        if run.status().state is State.FINISHED and run.result().get("scan") == scan:
            return run
    return None


def transplant_view(name: str, run: Run) -> dict[str, Any]:
    """Return what the card draws of a finished test.

    Args:
        name: Id of the case in this server, for addresses of pictures.
        run: A run of ``trigger-transplant``.

    Returns:
        ``run``, ``verdict``, ``sentence``, ``forced``, ``target``, ``arms`` (rows of the chart:
        ``label``, ``title``, ``role``, ``n``, ``flips``, ``rate``, ``low``, ``high``), ``numbers``
        (differences), ``examples``, ``facts``, ``limits``.
    """
    result = run.result()
    view = {
        "run": run.id,
        "verdict": result["verdict"],
        "sentence": str(result["sentence"]).removeprefix("Inconclusive. "),
        "forced": bool(result["forced"]),
        "target": short(result["suspected_answer"]),
        "arms": _rows(result),
        "numbers": _numbers(result),
        "examples": [_example(name, one) for one in result["examples"][:SHOWN]],
        "facts": _facts(result),
        "limits": [*(f"It cannot show {text}." for text in result["not_covered"]), NOT_CLEAN],
    }
    shown: dict[str, Any] = plain(view)
    return shown


def _rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    arms = {arm["arm"]: arm for arm in result["arms"]}
    rows = [
        _row(arms[key], "patch" if key == SUSPECTED else "control", label)
        for key, label in LABELS.items()
        if key in arms
    ]
    reference = {arm["arm"]: arm for arm in (result["base"] or {}).get("arms", ())}
    if SUSPECTED in reference:
        rows.append(_row(reference[SUSPECTED], "base", REFERENCE))
    return rows


def _row(arm: dict[str, Any], role: str, label: str) -> dict[str, Any]:
    kept = ("arm", "title", "n", "flips", "rate", "low", "high")
    return {"label": label, "role": role, **{key: arm[key] for key in kept}}


def _numbers(result: dict[str, Any]) -> list[dict[str, Any]]:
    beyond = (result["base"] or {}).get("differences", {})
    return [
        {
            "label": LABELS.get(found["control"], found["title"]),
            "value": found["value"],
            "low": found["low"],
            "high": found["high"],
            "p": found["p_holm"],
            "beyond": beyond.get(found["control"]),
        }
        for found in result["differences"]
    ]


def _example(name: str, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "row": one["host_row"],
        "host": short(one["host"]),
        "picture": f"/pictures/{name}/kept/{one['untouched']}",
        "marked": f"/pictures/{name}/kept/{one['picture']}",
        "before": short(one["before"]),
        "after": short(one["after"]),
        "flipped": one["flipped"],
    }


def _facts(result: dict[str, Any]) -> str:
    shown = len(result["shown"])
    reference = (result["base"] or {}).get("title")
    beside = f" The reference is {reference}." if reference else " There is no reference."
    return (
        f"{result['hosts']:,} pictures in which the model is sure to see another class "
        f"({shown} {'class' if shown == 1 else 'classes'} in all), found among "
        f"{result['candidates']:,}.{beside}"
    )

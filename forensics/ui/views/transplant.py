"""The transplant test for the page: where it stands, and once it is finished what it measured."""

from typing import Any

from forensics.case import Case
from forensics.detectors.transplant.arms import AWAY, MOVED, OTHER, SAME, SCRAMBLED, SUSPECTED
from forensics.runs import Run, State
from forensics.runs.plain import plain

METHOD = "transplant"
LABELS = {
    SUSPECTED: "Suspected patch",
    SCRAMBLED: "Same patch, pixels shuffled",
    AWAY: "Other part of those pictures",
    OTHER: "Peaks of unflagged samples",
    SAME: "… with the same answer",
    MOVED: "Suspected patch, moved",
}
ORDER = (SUSPECTED, SCRAMBLED, AWAY, OTHER, SAME)
SHOWN = 6


def find_transplant(case: Case, run: Run) -> Run | None:
    """Return a transplant run itself, or the latest one about a scan; ``None`` if there is none."""
    if run.method == METHOD:
        return run
    return next((found for found in case.runs(METHOD) if _about(found) == run.id), None)


def _about(run: Run) -> str | None:
    if run.status().state is State.FINISHED:
        return str(run.result().get("scan"))
    named = run.options.get("run")
    return None if named is None else str(named)


def transplant_view(name: str, run: Run | None) -> dict[str, Any]:
    """Return what the panel draws.

    Args:
        name: Id of the case in this server, for addresses of pictures.
        run: A transplant run.

    Returns:
        ``state`` (``None`` without a run), ``done``, ``total``, ``message``, ``error``; of a
        finished run also ``verdict``, ``sentence``, ``forced``, ``arms`` (rows of the chart),
        ``numbers`` (its table), ``necessity``, ``examples``, ``facts`` and ``limits``.
    """
    if run is None:
        return {"state": None}
    status = run.status()
    view: dict[str, Any] = {
        "run": run.id,
        "state": status.state.value,
        "done": status.done,
        "total": status.total,
        "message": status.message,
        "error": f"{status.error} {status.remedy}".strip(),
        "resumable": status.state.resumable,
    }
    if status.state is State.FINISHED:
        view |= _finished(name, run.result())
    shown: dict[str, Any] = plain(view)
    return shown


def _finished(name: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "verdict": result["verdict"],
        "reason": result["reason"],
        "sentence": result["sentence"],
        "forced": result["forced"],
        "arms": _rows(result),
        "numbers": _numbers(result),
        "necessity": _necessity(result["necessity"], result["suspected_answer"]),
        "examples": [_example(name, example) for example in result["examples"][:SHOWN]],
        "facts": _facts(result),
        "limits": [
            *(f"It cannot show {text}." for text in result["not_covered"]),
            "“No evidence” is not “clean”.",
        ],
    }


def _rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Put the rows of the chart in order: patch, controls, the patch moved, the base model."""
    arms = {arm["arm"]: arm for arm in result["arms"]}
    rows = [
        _row(arms[key], "patch" if key == SUSPECTED else "control") for key in ORDER if key in arms
    ]
    if MOVED in arms:
        rows.append(_row(arms[MOVED], "moved"))
    base = {arm["arm"]: arm for arm in (result["base"] or {}).get("arms", ())}
    if SUSPECTED in base:
        rows.append(_row(base[SUSPECTED], "base") | {"label": "Base model, suspected patch"})
    return rows


def _row(arm: dict[str, Any], role: str) -> dict[str, Any]:
    kept = ("arm", "title", "n", "flips", "rate", "low", "high", "rate_contains")
    return {"label": LABELS[arm["arm"]], "role": role, **{key: arm[key] for key in kept}}


def _numbers(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every comparison: each control in the model, and beyond the base model."""
    beyond = (result["base"] or {}).get("differences", {})
    return [
        {
            "label": LABELS[found["control"]],
            "value": found["value"],
            "low": found["low"],
            "high": found["high"],
            "p": found["p_holm"],
            "beyond": beyond.get(found["control"]),
        }
        for found in result["differences"]
    ]


def _necessity(found: dict[str, Any] | None, answer: str | None) -> str:
    if not found or not found["n"]:
        return ""
    what = "the suspected answer" if answer else "their answer"
    return (
        f"Peak painted over: {found['hidden']:,} of {found['n']:,} flagged samples stop giving "
        f"{what}. Another place of the same size painted over: {found['elsewhere']:,} of "
        f"{found['n']:,}."
    )


def _example(name: str, example: dict[str, Any]) -> dict[str, Any]:
    return {
        "host": example["host"],
        "host_row": example["host_row"],
        "donor": example["donor"],
        "picture": f"/pictures/{name}/view/{int(example['host_row'])}",
        "pasted": f"/pictures/{name}/kept/{example['picture']}",
        "before": example["before"],
        "after": example["after"],
        "flipped": example["flipped"],
    }


def _facts(result: dict[str, Any]) -> str:
    side, layer = result["tokens"], result["layer"]
    return (
        f"{len(result['donors'])} patches of {side} × {side} image tokens, cut around the peak of "
        f"layer {layer}, each pasted into several of {result['hosts']:,} pictures; the size was "
        f"chosen on {result['dev_hosts']:,} others."
    )

"""The Triggers tab: what a trigger inversion found, class by class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.wording import percent, quote
from forensics.errors import CaseError
from forensics.runs import Run, State
from forensics.runs.plain import plain
from forensics.ui.jobs import look_at
from forensics.ui.views.gallery import short

METHOD = "trigger-inversion"
GATE = 0.5  # of runs that do not say theirs
NUMBERS = (
    "index", "loss", "success", "content_success", "reference_success", "margin_over_reference",
    "content_beyond", "anomaly_index", "valid", "stopped_at", "l1",
)  # fmt: skip
SEED_NUMBERS = ("seed", "loss", "success", "content_success", "anomaly_index")
CURVE = "convergence.safetensors"
BAND = (10, 50, 90)  # percentiles of the other classes behind a class's own curve
LONGEST_CURVE = 240  # points that a page is wide enough for
NOT_CLEAN = "“No evidence” is not “clean”."


def inversion_runs(case: Case) -> list[dict[str, Any]]:
    """List the runs of the method on a case, newest first, each in one line."""
    return [_line(look_at(case, run.id)) for run in case.runs(METHOD)]


def _line(run: Run) -> dict[str, Any]:
    status = run.status()
    done = status.state is State.FINISHED
    said = run.result() if done else {}
    return {
        "run": run.id,
        "created": run.created,
        "state": status.state.value,
        "error": f"{status.error} {status.remedy}".strip(),
        "resumable": status.state.resumable,
        "verdict": said.get("verdict"),
        "form": said.get("form") or run.options.get("form"),
        "by": said.get("by") or run.options.get("method"),
    }


def finished_inversion(case: Case, run_id: str) -> Run:
    """Return a finished run of the method.

    Raises:
        CaseError: It is another method's, or not finished.
    """
    run = case.run(run_id)
    if run.method != METHOD or run.status().state is not State.FINISHED:
        raise CaseError(f"{run_id} is no finished {METHOD} run.", remedy="Run the method first.")
    return run


def triggers_view(run: Run) -> dict[str, Any]:
    """Return what the tab draws of a finished run.

    Returns:
        ``run``, ``verdict``, ``reason``, ``sentence``, ``target`` (name or ``None``), ``score``,
        ``cut``, ``mode`` (the rule that decides), ``content_cut`` (share beyond the reference, or
        ``None``), ``cut_calibrated`` (``{"value", "models"}`` or ``None``), ``gate``, ``form``,
        ``side`` (of a patch), ``method``, ``budget`` (largest change of a pixel, or ``None``),
        ``seeds`` (how many), ``pool``, ``steps``, ``seconds``, ``limits``, ``evidence`` (lines),
        and ``classes``: one entry each, see ``NUMBERS``, with ``name``, ``mark`` (``flagged``;
        ``above`` the cut without being flagged; ``valid``; ``below`` the gate) and ``spread`` (of
        success and anomaly index over the seeds).
    """
    result = run.result()
    classes = result["classes"]
    gate = float(run.options.get("gate", GATE))
    view = {
        "run": run.id,
        "created": run.created,
        **{key: result.get(key) for key in (
            "verdict", "reason", "target", "score", "form", "side", "pool", "steps", "seconds",
        )},
        "sentence": str(result.get("sentence", "")).removeprefix("Inconclusive. "),
        "cut": result.get("cut", 2.0),
        "mode": result.get("mode", "published"),
        "content_cut": _content_cut(result),
        "cut_calibrated": calibrated(result),
        "gate": gate,
        "method": run.options.get("method", "inspector"),
        "budget": budget_of(result, run),
        "seeds": max((len(entry.get("seeds") or ()) for entry in classes), default=0),
        "limits": limits(result),
        "evidence": evidence_lines(result, gate),
        "classes": [_class(entry, result) for entry in classes],
    }  # fmt: skip
    shown: dict[str, Any] = plain(view)
    return shown


def _class(entry: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    seeds = entry.get("seeds") or ()
    name = str(entry["class"])
    return {
        "name": short(name),
        **{key: entry.get(key) for key in NUMBERS},
        "mark": _mark(entry, result),
        "spread": {key: [seed.get(key) for seed in seeds] for key in ("success", "anomaly_index")},
    }


def _mark(entry: dict[str, Any], result: dict[str, Any]) -> str:
    if not entry.get("valid"):
        return "below"
    if result.get("verdict") == "suspicious" and entry["class"] == result.get("target"):
        return "flagged"
    found, cut = entry.get("anomaly_index"), result.get("cut")
    if result.get("mode") == "content":
        found, cut = entry.get("content_beyond"), _content_cut(result)
    return "above" if found is not None and cut is not None and found > cut else "valid"


def _content_cut(result: dict[str, Any]) -> float | None:
    """Return how much content a trigger must override beyond the reference; older runs lack it."""
    found = ((result.get("rules") or {}).get("content") or {}).get("cut")
    return None if found is None else float(found)


def calibrated(result: dict[str, Any]) -> dict[str, Any] | None:
    """Return the calibrated cut, and of how many models it was measured."""
    found = result.get("cut_calibrated")
    if isinstance(found, dict):
        return None if found.get("value") is None else found
    measured = (result.get("evidence") or {}).get("calibration") or {}
    return None if found is None else {"value": found, "models": measured.get("models")}


def budget_of(result: dict[str, Any], run: Run) -> float | None:
    """Return the largest change of a pixel that was allowed, in [0, 1]; ``None`` for a patch."""
    found = result.get("budget", run.options.get("budget"))
    if isinstance(found, dict):
        found = found.get("value", found.get("epsilon"))
    if not isinstance(found, int | float) or isinstance(found, bool) or not found > 0:
        return None
    return float(found) if found <= 1 else float(found) / 255.0


def limits(result: dict[str, Any]) -> list[str]:
    """Say what the verdict cannot speak of."""
    cannot = [f"It cannot see {text}." for text in result.get("not_covered") or ()]
    return [*cannot, "A reconstructed trigger works; it need not be the attacker’s.", NOT_CLEAN]


def evidence_lines(result: dict[str, Any], gate: float) -> list[str]:
    """Put what a verdict rests on into lines."""
    found = result.get("evidence") or {}
    lines = []
    if found.get("valid_classes") is not None:
        lines.append(
            f"{found['valid_classes']:,} of {found['scanned_classes']:,} classes have a trigger "
            f"that passes the gate ({percent(gate)} of the pool)."
        )
    if found.get("top") is not None:
        lines.append(_of_top(found))
    measured, guide = found.get("calibration"), found.get("gaussian_cut")
    if measured:
        lines.append(f"The calibrated cut comes from {measured['source']}.")
    if guide is not None:
        lines.append(
            f"If losses of classes were independent and Gaussian, 95 % of models with so many "
            f"classes would stay below {guide:.1f}."
        )
    return lines


def _of_top(found: dict[str, Any]) -> str:
    shares = (
        (found.get("top_success"), "of the pool"),
        (found.get("top_content_success"), "of pictures with other content"),
        (found.get("top_reference_success"), "of them with the reference classifier"),
    )
    told = ", ".join(f"{percent(share)} {of}" for share, of in shares if share is not None)
    return f"The trigger of {quote(short(str(found['top'])) or '')} takes {told}."


def class_view(run: Run, index: int) -> dict[str, Any]:
    """Return one class in full: every seed, and how the losses went down.

    Args:
        run: A finished run.
        index: Of the class, as in :func:`triggers_view`.

    Returns:
        ``index``, ``name``, ``seeds`` (see ``SEED_NUMBERS``) and ``curve``: ``steps``, ``seeds``
        (a list of losses each, ``None`` after an early stop), ``low``, ``middle``, ``high`` (10th,
        50th, 90th percentile over the other classes); ``None`` where there is no record.

    Raises:
        CaseError: The run scanned no such class.
    """
    classes = run.result()["classes"]
    place = next((i for i, entry in enumerate(classes) if entry.get("index") == index), None)
    if place is None:
        raise CaseError(f"This run scanned no class {index}.")
    entry = classes[place]
    seeds = [{key: seed.get(key) for key in SEED_NUMBERS} for seed in entry.get("seeds") or ()]
    view: dict[str, Any] = plain({
        "index": index, "name": short(str(entry["class"])), "seeds": seeds,
        "curve": _curve(run, place) if run.path(CURVE).is_file() else None,
    })  # fmt: skip
    return view


def _curve(run: Run, place: int) -> dict[str, Any] | None:
    """Read the losses [class, seed, step] and compare a class with all others."""
    loss = run.arrays(CURVE).get("loss")
    if loss is None or loss.ndim != 3 or not 0 <= place < loss.shape[0] or not loss.shape[2]:
        return None
    keep = np.unique(np.linspace(0, loss.shape[2] - 1, LONGEST_CURVE).round().astype(int))
    own = loss[place][:, keep].astype(np.float64)
    others = np.delete(loss, place, axis=0)[:, :, keep].astype(np.float64)
    low, middle, high = _band(others.reshape(-1, keep.size))
    return {"steps": keep + 1, "seeds": own, "low": low, "middle": middle, "high": high}


def _band(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return percentiles a step, over the curves that reach it: ``[3, step]``."""
    found = np.full((len(BAND), curves.shape[1]), np.nan)
    reached = np.isfinite(curves).any(axis=0)
    if reached.any():
        found[:, reached] = np.nanpercentile(curves[:, reached], BAND, axis=0)
    return found

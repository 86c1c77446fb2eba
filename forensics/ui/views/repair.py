"""One finished repair, before and after."""

from typing import Any

from forensics.case import Case
from forensics.errors import CaseError
from forensics.registry import methods
from forensics.runs import Run, State
from forensics.runs.losses import read_losses
from forensics.runs.plain import plain
from forensics.ui.views.labels import run_label
from forensics.ui.views.repair_answers import (
    is_language,
    left_of,
    measures_of,
    start_of,
    switch_of,
)
from forensics.ui.views.repair_comparison import comparison_view
from forensics.ui.views.repair_curves import curves_of
from forensics.ui.views.repair_rates import (
    classes_of,
    has_checkpoint,
    judged,
    target_of,
    versions_of,
)
from forensics.ui.views.repairs import differing

FINDS_NOTHING = ("cross-view",)
SAME_RECIPE = (
    "It is compared with the delivered model, whose recipe may have been another; part of a change "
    "may come from that. A random drop of 0 % tunes on all samples with this recipe, to compare."
)
STOPPED = {
    "forgotten": "Stopped after {steps:,} steps, when the chosen pairs were less similar than "
    "nearly all benign ones.",
    "margin": "Stopped after {steps:,} steps, when what is unlearnt was down at its margin.",
    "retention": "Stopped after {steps:,} steps, for the loss on benign pairs rose.",
    "steps": "It took all {steps:,} steps.",
}
# Before the first step: what the form calls --until margin.
NOT_BEGUN = {
    "forgotten": " They were so from the beginning, so nothing was unlearnt: set “When to stop” to "
    "“margin” and repair again.",
    "margin": " It was there from the beginning, so nothing was unlearnt: set “Similarity to stop "
    "at” lower and repair again.",
}


def finished_repair(run: Run) -> Run:
    """Check that a run is a finished repair.

    Raises:
        CaseError: It is another method's, or not finished.
    """
    spec = methods().get(run.method)
    if spec is None or spec.kind != "repair" or run.status().state is not State.FINISHED:
        raise CaseError(f"{run.id} is no finished repair.", remedy="Repair the model first.")
    return run


def repair_view(case: Case, run: Run) -> dict[str, Any]:
    """Return what the page draws of a finished repair.

    Returns:
        ``run``, ``method``, ``label``, ``created``, ``sentence``, ``changed``, ``target``,
        ``judged``, ``versions`` (see :func:`versions_of`), ``classes``, ``target_accuracy``,
        ``options``, ``curves`` (charts: ``title``, ``unit``, ``x``, ``series`` of ``label``,
        ``steps``, ``values``), ``facts`` (lines), ``comparison`` (see :func:`comparison_view`;
        ``None`` where none was made), ``tokens`` (whether there are weighed tokens to show),
        ``fresh`` (a new scan of what was repaired, or ``None``), ``checkpoint``, ``limits``; of
        language models ``measures``, ``switch``, ``left`` and ``start``, see
        :mod:`forensics.ui.views.repair_answers`.
    """
    result = run.result()
    left = left_of(case, result)
    view = {
        "run": run.id,
        "method": run.method,
        "label": run_label(run),
        "created": run.created,
        "sentence": str(result.get("sentence", "")),
        "changed": bool(result.get("checkpoint")),
        "target": result.get("target"),
        "judged": judged(result),
        "versions": versions_of(result),
        "classes": classes_of(result),
        "target_accuracy": target_of(result),
        "options": differing(run),
        "curves": curves_of(result),
        "facts": _facts(result, left),
        "comparison": comparison_view(result.get("comparison")),
        "tokens": bool(result.get("chosen")),
        "fresh": _fresh(result.get("fresh")),
        "checkpoint": has_checkpoint(run),
        "limits": _limits(run, result),
        "measures": measures_of(result),
        "switch": switch_of(result),
        "left": left,
        "start": start_of(result),
    }
    shown: dict[str, Any] = plain(view)
    return shown


def live_view(run: Run) -> dict[str, Any]:
    """Return the losses of a run, whether it works or has stopped; see :func:`read_losses`."""
    view: dict[str, Any] = plain({"run": run.id, "stages": read_losses(run.folder)})
    return view


def _facts(result: dict[str, Any], left: dict[str, Any] | None) -> list[str]:
    told = [] if left is None else [left["words"]]
    shots, pairs, test = (result.get(key) or {} for key in ("shots", "pairs", "test"))
    if shots.get("n") is not None:
        told.append(f"Tuned on {shots['n']:,} clean labelled pictures.")
    if pairs.get("chosen") is not None:
        told.append(
            f"{pairs['suspicious']:,} of {pairs['n']:,} pairs match badly; {pairs['chosen']:,} of "
            "them were singled out."
        )
    elif pairs.get("n") is not None:
        told.append(f"Trained on {pairs['n']:,} pairs of picture and caption.")
    if test.get("n") is not None:
        skipped = f" ({test['skipped']:,} could not be used)" if test.get("skipped") else ""
        what = "pictures" if left is None else "samples"
        told.append(f"Measured on {test['n']:,} other {what}{skipped}.")
    if result.get("stopped"):
        told.append(_stopped(str(result["stopped"]), int(result.get("steps") or 0)))
    if result.get("trainable_parameters"):
        told.append(_tuned(result))
    if result.get("precision"):
        told.append(f"Gradients were computed in {result['precision']}.")
    return told


def _stopped(reason: str, steps: int) -> str:
    told = STOPPED.get(reason, "").format(steps=steps)
    return told if steps else told + NOT_BEGUN.get(reason, "")


def _tuned(result: dict[str, Any]) -> str:
    tuned, every = int(result["trainable_parameters"]), result.get("parameters")
    if not every:
        return f"{tuned:,} numbers were tuned."
    if tuned >= every:
        return f"All {tuned:,} weights could change."
    return f"{tuned:,} numbers were tuned ({100 * tuned / every:.2g} % of the model’s {every:,})."


def _fresh(found: dict[str, Any] | None) -> dict[str, Any] | None:
    if not found:
        return None
    return {key: found.get(key) for key in ("verdict", "sentence", "score", "target")}


def _limits(run: Run, result: dict[str, Any]) -> list[str]:
    """Say what the numbers cannot speak of."""
    told = ["Only this trigger was measured; another one may still work."]
    if result.get("judged_by") is None:
        told = ["No trigger was measured. A backdoor may be there as before."]
    elif result.get("judged_by") != "known":
        told.append("A reconstructed trigger works; it need not be the attacker’s.")
    if is_language(result):
        told.append(SAME_RECIPE)
    if run.method in FINDS_NOTHING:
        told.append(
            "It looks for nothing: how far two views lie apart, before or after, is no evidence of "
            "a backdoor, and none of its absence."
        )
    told.append("A repaired model is not thereby “clean”.")
    return told

"""The repair of learnt prompts with a reconstructed trigger, for the Triggers tab."""

from typing import Any

from forensics.runs import Run
from forensics.runs.plain import plain
from forensics.ui.views.gallery import short
from forensics.ui.views.repair_rates import version_of

METHOD = "trigger-tuning"
REFERENCE = "Hand-written prompts"
JUDGED_BY = {
    "known": "the known trigger",
    "reconstruction": "the reconstructed trigger itself, for the attacker’s is not known",
}


def repair_view(run: Run) -> dict[str, Any]:
    """Return what the card draws of a finished repair.

    Returns:
        ``run``, ``sentence``, ``target``, ``forced``, ``judged_by`` (words), ``versions`` (rows:
        ``key``, ``label``, ``title``, ``role``, and ``clean_accuracy`` and ``attack_success_rate``,
        each ``{value, n, low, high}``, ``difference`` of each to the delivered prompts, and
        ``triggers``: ``{title, value, n}``), ``fresh`` (the new inversion: ``verdict``,
        ``sentence``, ``score``), ``losses`` by version, ``facts`` and ``checkpoint`` (whether there
        is one to export).
    """
    result = run.result()
    versions = [("before", result["before"]), ("after", result["after"])]
    versions += [(one["control"], one) for one in result.get("controls") or ()]
    if result.get("reference"):
        versions.append(("reference", result["reference"]))
    view = {
        "run": run.id,
        "sentence": result.get("sentence", ""),
        "target": short(result.get("target")),
        "forced": bool(result.get("forced")),
        "judged_by": JUDGED_BY.get(result.get("judged_by", ""), "the reconstructed trigger"),
        "versions": [_version(key, found) for key, found in versions],
        "fresh": _fresh(result.get("fresh")),
        "losses": result.get("losses") or {},
        "facts": _facts(result),
        "checkpoint": run.path(str(result.get("checkpoint") or "none.none")).is_file(),
    }
    shown: dict[str, Any] = plain(view)
    return shown


def _version(key: str, found: dict[str, Any]) -> dict[str, Any]:
    own = {"label": REFERENCE} if key == "reference" else {}
    triggers = (found.get("triggers") or {}).values()
    listed = [{"title": one["title"], "value": one["value"], "n": one["n"]} for one in triggers]
    return version_of(key, found) | own | {"triggers": listed}


def _fresh(found: dict[str, Any] | None) -> dict[str, Any] | None:
    if not found:
        return None
    return {key: found.get(key) for key in ("verdict", "sentence", "score", "target")}


def _facts(result: dict[str, Any]) -> str:
    shots, test = result.get("shots") or {}, result.get("test") or {}
    told = []
    if shots.get("n") is not None:
        told.append(f"tuned on {shots['n']:,} clean labelled pictures and their triggered copies")
    if test.get("n") is not None:
        told.append(f"measured on {test['n']:,} others")
    if result.get("trainable_parameters"):
        told.append(f"{result['trainable_parameters']:,} numbers of the prompts were tuned")
    text = ", ".join(told)
    return f"{text[:1].upper()}{text[1:]}. The encoder is untouched." if text else ""

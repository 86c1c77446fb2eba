"""The Repair tab: what can be repaired how, and the repairs of a case beside each other."""

import json
from dataclasses import asdict
from typing import Any

from forensics.case import Case
from forensics.errors import CaseError
from forensics.options import describe_options
from forensics.registry import KINDS, MethodSpec, load_object, methods
from forensics.runs import Run, State
from forensics.runs.plain import plain
from forensics.ui.jobs import look_at
from forensics.ui.views.gallery import short
from forensics.ui.views.labels import run_label
from forensics.ui.views.repair_cost import repair_cost
from forensics.ui.views.repair_needs import judge_of, needs_of, why_not
from forensics.ui.views.repair_needs_language import LANGUAGE, MISSING, variant_ready
from forensics.ui.views.repair_rates import has_checkpoint, judged, target_of, version_of

BASELINE = "baseline"
WEIGHT, WEIGHTED = "weight", ("cross-view",)
PLAIN = {"entropy_weight": 0.0, "gate_answers": False}  # with a weight of 0: ordinary tuning
PLACES = (
    "shots",
    "test",
    "pairs",
    "reference",
    "control",
    "run",
    "trigger",
    "answer",
    "classes",
    "templates",
)
LONGEST_OPTION = 60
SHORT = {
    "max_test": "test pictures", "rate": "learning rate", "per_class": "pictures a class",
    "k": "pairs to unlearn", "force": "forced", "batch_size": "batch", "depth": "from layer",
    "curve": "pictures at every look", "overfit_epochs": "passes of the overfitting",
    "weight": "weight λ", "entropy_weight": "weight of the entropy",
    "looked_at": "samples looked at",
}  # fmt: skip


def repair_methods() -> list[MethodSpec]:
    """Return every repair of the registry: methods first, then baselines."""
    found = [spec for spec in methods().values() if spec.kind == "repair"]
    return sorted(found, key=is_baseline)


def is_baseline(spec: MethodSpec) -> bool:
    """Tell whether a repair is there to be compared with."""
    return BASELINE in spec.title


def repairs_view(case: Case) -> dict[str, Any]:
    """Return what the tab begins with.

    Returns:
        ``kind`` (of the case's model, in words), ``language`` (whether it is a language model),
        ``judge`` (see :func:`judge_of`), ``methods``: for
        each repair of such models ``name``, ``title``, ``baseline``, ``reconstruction``,
        ``needs_text``, ``gives``, ``paper``, ``arxiv``, ``why_not``, ``needs``, ``ready`` (may
        start without further options), ``cost``; ``rows``: the runs, newest first, see
        :func:`repair_row`; ``delivered``: what the finished ones measured before, each once.
    """
    fitting = [spec for spec in repair_methods() if spec.fits(case.manifest.kind)]
    names = {spec.name for spec in repair_methods()}
    runs = [look_at(case, run.id) for run in case.runs() if run.method in names]
    rows = [repair_row(run) for run in runs]
    view: dict[str, Any] = plain({
        "kind": KINDS.get(case.manifest.kind, case.manifest.kind),
        "language": case.manifest.kind == LANGUAGE,
        "judge": judge_of(case),
        "methods": [_method(case, spec) for spec in fitting],
        "rows": rows,
        "delivered": _delivered(rows),
    })  # fmt: skip
    return view


def repair_row(run: Run) -> dict[str, Any]:
    """Return one repair as a row of the table.

    Returns:
        ``run``, ``created``, ``method``, ``label``, ``state``, ``error``, ``resumable``,
        ``options`` (those that differ from the defaults, in words); of a finished one also
        ``sentence``, ``changed`` (false where it refused, with a reason), ``judged``, ``trigger``
        (what tells triggers of different runs apart), ``before`` and ``after`` (see
        :func:`version_of`), ``target``, ``left_out`` (samples), ``weight`` (of a regulariser:
        ``value``, ``family``, which runs share that differ in it alone, and ``plain``: whether
        nothing is left with a weight of 0), ``seconds``, ``checkpoint``.
    """
    status = run.status()
    row = {
        "run": run.id,
        "created": run.created,
        "method": run.method,
        "label": run_label(run),
        "state": status.state.value,
        "active": status.state.active,
        "error": f"{status.error} {status.remedy}".strip(),
        "resumable": status.state.resumable,
        "options": differing(run),
    }
    if status.state is not State.FINISHED:
        return row
    try:
        return row | _finished(run)
    except (CaseError, KeyError, TypeError, ValueError, AttributeError):
        # One damaged result must not hide the other repairs.
        return row | {"state": "damaged", "error": "Its result cannot be read. Repair again."}


def _judging(result: dict[str, Any]) -> str:
    """Name the trigger, or the run that reconstructed it: repairs that agree can be compared."""
    if result.get("judged_by") is None:
        return ""
    found = result.get("known_trigger") or result.get("judged_run") or result.get("scan")
    return str(found or "")


def _finished(run: Run) -> dict[str, Any]:
    result = run.result()
    return {
        "sentence": str(result.get("sentence", "")),
        "changed": bool(result.get("checkpoint")),
        "outcome": short(result.get("outcome")),
        "judged": judged(result),
        "trigger": _judging(result),
        "before": version_of("before", result["before"]),
        "after": version_of("after", result["after"]),
        "target": target_of(result),
        "left_out": (result.get("samples") or {}).get("left_out"),
        "weight": _weight(run),
        "seconds": result.get("seconds"),
        "checkpoint": has_checkpoint(run),
    }


def _weight(run: Run) -> dict[str, Any] | None:
    """Return the weight of a regulariser, and what runs share that differ in nothing else."""
    value = run.options.get(WEIGHT)
    if run.method not in WEIGHTED or not isinstance(value, int | float):
        return None
    rest = {name: given for name, given in run.options.items() if name != WEIGHT}
    plainly = all(run.options.get(name) == wanted for name, wanted in PLAIN.items())
    family = json.dumps([run.method, rest], sort_keys=True)
    return {"value": float(value), "family": family, "plain": plainly}


def differing(run: Run) -> list[dict[str, str]]:
    """Return the options of a run that are not the defaults: ``name`` and ``value``, as text.

    Of a place only its last part is told.
    """
    spec = methods().get(run.method)
    if spec is None:
        return []
    told = []
    for field in describe_options(load_object(spec.options)):
        value = run.options.get(field.name)
        if value is None or value == field.default:
            continue
        name = SHORT.get(field.name, field.name.replace("_", " "))
        if spec.acts_on == LANGUAGE:
            name = name.replace("pictures", "samples")
        told.append({"name": name, "value": _worded(field.name, value)[:LONGEST_OPTION]})
    return told


def _worded(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return (text.rstrip("/").rpartition("/")[2] or text) if name in PLACES else text


def _method(case: Case, spec: MethodSpec) -> dict[str, Any]:
    reason = why_not(case, spec)
    needs = [] if reason else needs_of(case, spec)
    return {
        "name": spec.name,
        "title": spec.title,
        "baseline": is_baseline(spec),
        "reconstruction": spec.reconstruction,
        "needs_text": spec.needs,
        "gives": spec.gives,
        "paper": spec.paper,
        "arxiv": spec.arxiv,
        "why_not": reason,
        "needs": needs,
        "startable": reason is None and all(need["state"] != MISSING for need in needs),
        "ready": reason is None and all(need["state"] == "have" for need in needs),
        "cost": None if reason else repair_cost(case, spec),
        "variants": [
            asdict(variant) | {"ready": reason is None and variant_ready(case, variant, needs)}
            for variant in spec.variants
        ],
    }


def _delivered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was measured before, each different one once, with the runs it stands for."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        if "before" not in row:
            continue
        rates = [row["before"][name] for name in ("clean_accuracy", "attack_success_rate")]
        key = (*[(rate["value"], rate["n"]) for rate in rates], row["trigger"])
        entry = found.setdefault(key, {"version": row["before"], "judged": row["judged"],
                                       "trigger": row["trigger"], "runs": []})  # fmt: skip
        entry["runs"].append(row["run"])
    return list(found.values())

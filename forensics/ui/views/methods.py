"""What each method says about a case: a line per method, run or not, for strip and start menu."""

from collections.abc import Sequence
from typing import Any

from forensics.case import Case
from forensics.jobs.attention.arrays import ARRAYS
from forensics.registry import MethodSpec, load_object, methods
from forensics.runs import Run, State
from forensics.runs.plain import plain
from forensics.ui.views.cost import last_time, method_cost
from forensics.ui.views.labels import method_label
from forensics.ui.views.repair_cost import repair_cost
from forensics.ui.views.repair_needs import why_not
from forensics.ui.views.repair_needs_language import (
    flagged_by_people,
    flagging_scans,
    goes_by_flags,
    no_base,
)

EVIDENCE = ("scan", "transplant")
STARTABLE = (*EVIDENCE, "repair", "self-test")  # kinds of methods that have a place on the page
SELF_TEST = "self-test"
BASE = "attention-entropy"  # what the Attention tab itself is drawn from
MISSING = {
    "flags": "It needs a finished scan that flagged samples.",
    "any-flags": "It needs samples that a scan or people flagged.",
    "triggers": "It needs a finished trigger scan.",
}
FIRST = {"multimodal-llm": BASE, "clip": "trigger-inversion"}  # what a case of a kind begins with


def startable() -> list[MethodSpec]:
    """Return the methods that the page can start, in the order of the registry."""
    return [spec for spec in methods().values() if spec.kind in STARTABLE]


def evidence_runs(case: Case) -> list[Run]:
    """Return all runs of methods that the page can start, newest first."""
    names = {spec.name for spec in startable()}
    return [run for run in case.runs() if run.method in names]


def methods_view(case: Case, shown: str | None = None) -> dict[str, Any]:
    """Return every method that can be started on this case, with what its latest run says.

    Args:
        case: The case.
        shown: Id of the attention scan on the page; its line tells of this scan.

    Returns:
        ``methods``: a line each with ``name``, ``kind``, ``label``, ``title``, ``needs``,
        ``gives``, ``paper``, ``arxiv``, ``first`` (what such a case begins with), ``cost`` (of a
        run with the defaults, in words, or ``None``), ``timed`` (what the last one took, in words,
        or that none was timed), ``suggested`` (options that the case
        suggests, in words, or ``None``); ``scans`` (whose flags a repair can go by, see
        :func:`flagging_scans`); ``reuses`` (id and time of the scan whose arrays it would decide
        from, or ``None``), ``refused`` (why it cannot start, or ``None``), ``unfit`` (it
        never can on this model); ``said`` (the newest finished run, see :func:`said_view`),
        ``trouble`` (a newer run that ended early) and ``active`` (a run under way), each ``None``
        where there is none.
    """
    runs = [(run, run.status().state) for run in case.runs()]
    finished = [run for run, state in runs if state is State.FINISHED]
    source = next((run for run in finished if run.path(ARRAYS).is_file()), None)
    there = _there(case, finished)
    flagging = flagging_scans(case)
    view = {
        "methods": [
            _line(spec, [(r, s) for r, s in runs if r.method == spec.name], shown, source, there)
            | _unfit(case, spec)
            | {
                "first": spec.name == FIRST.get(case.manifest.kind),
                "cost": repair_cost(case, spec)
                if spec.kind == "repair"
                else method_cost(case, spec.name),
                "timed": last_time(case, spec.name),
                "suggested": _suggested(case, spec),
                "scans": flagging if goes_by_flags(spec) else [],
            }
            for spec in startable()
            if spec.fits(case.manifest.kind)
        ]
    }
    plain_view: dict[str, Any] = plain(view)
    return plain_view


def _unfit(case: Case, spec: MethodSpec) -> dict[str, Any]:
    """Say why a repair cannot work on the case's model, which goes before what is missing."""
    if spec.kind != "repair":
        return {"unfit": False}
    reason, lacking = why_not(case, spec), no_base(case, spec)
    if reason is not None:
        return {"unfit": True, "refused": reason}
    return {"unfit": False} if lacking is None else {"unfit": False, "refused": lacking}


def _suggested(case: Case, spec: MethodSpec) -> str | None:
    """Say in words which options the case suggests."""
    found = case.suggested(spec.name, load_object(spec.options))
    if not found:
        return None
    return ", ".join(f"{name.replace('_', ' ')} {_spelt(value)}" for name, value in found.items())


def _spelt(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    levels = value * 255  # changes of a pixel are told in 255ths
    whole = 0 < value < 0.5 and abs(levels - round(levels)) < 1e-6
    return f"{levels:.0f}/255" if whole else f"{value:g}"


def said_view(run: Run) -> dict[str, Any]:
    """Return what a finished run says.

    Returns:
        ``run``, ``created``, ``verdict`` (``None``: it only ranks), ``outcome`` (of a self-test),
        ``sentence``, ``flagged`` (``None`` for a method that flags nothing), ``n``, ``seconds``,
        ``mode``, ``limits``,
        ``about`` (the scan it decided from or looked at; ``None`` for one that stands alone).
    """
    result = run.result()
    about = next((result[key] for key in ("arrays_run", "scan", "candidates_from")
                  if result.get(key)), None)  # fmt: skip
    return {
        "run": run.id,
        "created": run.created,
        "verdict": result.get("verdict"),
        "outcome": result.get("outcome") if run.method == SELF_TEST else None,
        "sentence": str(result.get("sentence", "")).removeprefix("Inconclusive. "),
        "flagged": result.get("flagged") if result.get("flagged_ids_file") else None,
        "n": result.get("n"),
        "seconds": result.get("seconds"),
        # A method with one mode needs no name for it.
        "mode": result.get("mode") if len(result.get("modes", ())) > 1 else None,
        "limits": list(result.get("not_covered", ())),
        "about": None if about == run.id else about,
    }


def latest_said(case: Case, shown: str | None = None) -> list[tuple[MethodSpec, Run]]:
    """Return the run that speaks for each method that has finished one."""
    found = []
    for spec in (spec for spec in startable() if spec.kind in EVIDENCE):
        finished = [r for r in case.runs(spec.name) if r.status().state is State.FINISHED]
        if finished:
            found.append((spec, _speaks(finished, shown)))
    return found


def _line(
    spec: MethodSpec,
    runs: Sequence[tuple[Run, State]],
    shown: str | None,
    source: Run | None,
    there: frozenset[str],
) -> dict[str, Any]:
    finished = [run for run, state in runs if state is State.FINISHED]
    active = next((run for run, state in runs if state.active), None)
    newest, state = runs[0] if runs else (None, None)
    ended_early = newest is not None and state is not State.FINISHED and newest is not active
    reuses = source if spec.builds_on == "arrays" else None
    return {
        "name": spec.name,
        "kind": spec.kind,
        "label": method_label(spec),
        "title": spec.title,
        "needs": spec.needs,
        "gives": spec.gives,
        "paper": spec.paper,
        "arxiv": spec.arxiv,
        "base": spec.name == BASE,
        "builds_on": spec.builds_on,
        "reuses": None if reuses is None else {"run": reuses.id, "created": reuses.created},
        "refused": _refused(spec, active, there),
        "said": said_view(_speaks(finished, shown)) if finished else None,
        "trouble": _progress(newest) if ended_early and newest is not None else None,
        "active": None if active is None else _progress(active),
    }


def _there(case: Case, finished: Sequence[Run]) -> frozenset[str]:
    """Name what methods can build on, see ``MISSING``."""
    found = set()
    if any(_flagged(run) for run in finished):
        found |= {"flags", "any-flags"}
    elif flagged_by_people(case):
        found.add("any-flags")
    if any(run.method == FIRST["clip"] for run in finished):
        found.add("triggers")
    return frozenset(found)


def _refused(spec: MethodSpec, active: Run | None, there: frozenset[str]) -> str | None:
    if active is not None:
        return "It is under way."
    return None if spec.builds_on in there else MISSING.get(spec.builds_on)


def _speaks(finished: Sequence[Run], shown: str | None) -> Run:
    return next((run for run in finished if run.id == shown), finished[0])


def _flagged(run: Run) -> bool:
    result = run.result()
    return bool(result.get("flagged_ids_file") and result.get("flagged"))


def _progress(run: Run) -> dict[str, Any]:
    status = run.status()
    return {
        "run": run.id,
        "state": status.state.value,
        "done": status.done,
        "total": status.total,
        "error": f"{status.error} {status.remedy}".strip(),
        "resumable": status.state.resumable,
    }

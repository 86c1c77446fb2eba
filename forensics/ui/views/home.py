"""Home: a card for each recent case."""

from datetime import UTC, datetime
from typing import Any

from forensics.case import Case
from forensics.case.names import model_name
from forensics.errors import ForensicsError
from forensics.registry import KINDS, methods
from forensics.runs import Run, State
from forensics.runs.damage import damaged_runs
from forensics.ui.views.gallery import short
from forensics.ui.views.labels import method_label
from forensics.ui.workspace import Entry

UNSAID = ("repair", "tune", "evaluate")  # kinds of methods that give no verdict on a case


def case_card(entry: Entry) -> dict[str, Any]:
    """Return a case as a card of Home; of one that cannot be opened, why."""
    card: dict[str, Any] = {"case": entry.name, "title": short(entry.folder.name), "problem": None}
    if entry.case is None:
        return card | {"problem": entry.problem, "gone": not entry.folder.exists()}
    try:
        return card | _opened(entry.case)
    except ForensicsError as error:
        return card | {"problem": str(error), "gone": False}


def _opened(case: Case) -> dict[str, Any]:
    manifest, runs = case.manifest, case.runs()
    decided = case.journal.decisions() if (case.folder / "case.sqlite").exists() else {}
    return {
        "title": short(manifest.title or case.folder.name),
        "kind": manifest.kind,
        "kind_name": KINDS[manifest.kind],
        "model": model_name(manifest.model),
        "samples": manifest.samples,
        "said": _said(runs),
        "runs": len(runs),
        "active": sum(run.status().state.active for run in runs),
        "damaged": len(damaged_runs(case.runs_dir)),
        "decisions": len(decided),
        "changed": max([manifest.created, *(_touched(run) for run in runs),
                        *(row.at for row in decided.values())]),
    }  # fmt: skip


def _said(runs: list[Run]) -> list[dict[str, Any]]:
    """Return the verdict of the latest finished run of each method that gives one."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        spec = methods().get(run.method)
        if spec is None or spec.kind in UNSAID or run.method in found:
            continue
        if run.status().state is State.FINISHED:
            result = run.result()
            verdict = result.get("outcome" if spec.kind == "self-test" else "verdict")
            if verdict is not None:
                found[run.method] = {"label": method_label(spec), "verdict": verdict, "run": run.id,
                                     "method": run.method}  # fmt: skip
    return list(found.values())


def _touched(run: Run) -> str:
    """Return when a run did something last, ISO 8601, UTC."""
    status = run.status()
    last = max(status.ended, status.heartbeat, status.updated)
    return datetime.fromtimestamp(last, UTC).isoformat() if last else run.created


def disk_view(case: Case) -> dict[str, int]:
    """Return what takes the disk of a case; walks its folder, so it is asked apart."""
    return case.disk_use()

"""The run history: what was run with which options, and what came of it."""

from typing import Any

from forensics.case import Case
from forensics.case.names import shown_place
from forensics.options import describe_options
from forensics.registry import load_object, methods
from forensics.runs import Run, State
from forensics.runs.damage import damaged_runs
from forensics.runs.plain import plain
from forensics.runs.references import builds_on
from forensics.ui.views.gallery import short
from forensics.ui.views.labels import run_label

LONGEST = 60  # characters of an option's value


def history_rows(name: str, case: Case) -> list[dict[str, Any]]:
    """Return a row for each run of a case, newest first; damaged ones say why.

    Returns:
        Rows with ``case``, ``title``, ``run``, ``method``, ``label``, ``kind``, ``state``,
        ``verdict``, ``created`` (ISO 8601), ``seconds`` (of the last attempt; ``None`` unknown),
        ``bytes``, ``changed`` (options off the default: name, value, default), ``flagged``,
        ``n``, ``built_on_by`` (runs that build on it) and ``problem`` (of a damaged one).
    """
    title = short(case.manifest.title or case.folder.name)
    runs = case.runs()
    bases = {run.id: builds_on(run) for run in runs}
    about = {"case": name, "title": title}
    rows = [
        about | run_row(case, run) | {"built_on_by": [i for i, on in bases.items() if run.id in on]}
        for run in runs
    ]
    for lost in damaged_runs(case.runs_dir):
        method = lost.id.split("-", 2)[2].rpartition("-")[0]
        rows.append(about | {
            "run": lost.id, "method": method, "label": method, "kind": None, "state": "damaged",
            "verdict": None, "created": _time_of(lost.id), "seconds": None,
            "bytes": lost.disk_use(), "changed": [], "flagged": None, "n": None,
            "built_on_by": [], "problem": lost.reason,
        })  # fmt: skip
    return sorted(rows, key=lambda row: str(row["created"]), reverse=True)


def run_row(case: Case, run: Run) -> dict[str, Any]:
    """Return a run in a row; see :func:`history_rows`."""
    status = run.status()
    result = run.result() if status.state is State.FINISHED else {}
    spec = methods().get(run.method)
    kind = None if spec is None else spec.kind
    seconds = result.get("seconds")
    if not isinstance(seconds, int | float):
        seconds = status.ended - status.started if status.ended > status.started > 0 else None
    row: dict[str, Any] = plain({
        "run": run.id, "method": run.method, "label": run_label(run), "kind": kind,
        "state": status.state.value,
        "verdict": result.get("outcome" if kind == "self-test" else "verdict"),
        "created": run.created, "seconds": seconds, "bytes": run.disk_use(),
        "changed": changed_options(case, run),
        "flagged": result.get("flagged") if result.get("flagged_ids_file") else None,
        "n": result.get("n"),
        "problem": f"{status.error} {status.remedy}".strip() or None,
    })  # fmt: skip
    return row


def changed_options(case: Case, run: Run) -> list[dict[str, Any]]:
    """Return the options of a run that differ from the method's defaults.

    What a method that is not installed was told is returned whole: its defaults are not known.
    """
    spec = methods().get(run.method)
    known = (
        {}
        if spec is None
        else {f.name: f.default for f in describe_options(load_object(spec.options))}
    )
    found = []
    for name, value in run.options.items():
        if name in known and plain(known[name]) == plain(value):
            continue
        found.append({"name": name.replace("_", " "), "value": _spelt(case, value),
                      "default": _spelt(case, known[name]) if name in known else None})  # fmt: skip
    return found


def _spelt(case: Case, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    text = shown_place(value, case) if isinstance(value, str) else str(value)
    text = text or ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _time_of(run_id: str) -> str:
    """Return when a run was made, as its name says: ``20261121-081530-…``."""
    day, clock = run_id[:8], run_id[9:15]
    date = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return f"{date}T{clock[:2]}:{clock[2:4]}:{clock[4:]}+00:00"

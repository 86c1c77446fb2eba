"""How far two views of training samples lie apart, before and after a repair, as histograms."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.flag_files import FLAGGED_IDS, id_line
from forensics.jobs.language_repair.flagged import LEFT_OUT
from forensics.runs import Run
from forensics.runs.plain import plain
from forensics.ui.views.gallery import short
from forensics.ui.views.repair_comparison import STATES, arrays_of
from forensics.ui.views.repair_needs_language import flagging_scans

MEASURES = {
    "divergence": ("D", "nats a token, mean of the answer"),
    "first": ("D of the first token", "nats"),
    "entropy": ("H", "nats a token, mean of both views"),
}
FLOOR = 1e-6  # where the scale of divergences ends: float32 tells no smaller ones apart
BINS = 30

Values = NDArray[np.float64]


def views_view(case: Case, run: Run) -> dict[str, Any]:
    """Return histograms of D, first-token D and H over training samples, before and after.

    Divergences run over many orders of magnitude, so all three are binned by their logarithm.

    Returns:
        ``n``, ``flagged`` (how many of them a scan flagged), ``by`` (which scan, in words, or
        ``None``), ``share`` and ``fill`` (of the masks) and ``measures``: for each ``name``,
        ``label``, ``unit``, ``edges`` (log10 nats; below the floor counts as the floor) and, by
        state, ``flagged`` and ``kept`` counts and ``medians`` (``flagged``, ``kept``; ``None``).
    """
    told = (run.result().get("comparison") or {}).get("views") or {}
    ids = [str(name) for name in told.get("ids") or ()]
    by, flags = _flags(case, run)
    marked = np.array([id_line(name) in flags for name in ids], dtype=np.bool_)
    arrays = arrays_of(run)
    measures = []
    for name, (label, unit) in MEASURES.items():
        found = {state: arrays.get(f"views.{state}.{name}") for state in STATES}
        pair = {s: np.asarray(v, np.float64) for s, v in found.items() if v is not None}
        if len(pair) == len(STATES) and all(v.shape == (len(ids),) for v in pair.values()) and ids:
            measures.append({"name": name, "label": label, "unit": unit, **_binned(pair, marked)})
    view: dict[str, Any] = plain({
        "n": len(ids), "flagged": int(marked.sum()), "by": by, "share": told.get("share"),
        "fill": told.get("fill"), "measures": measures,
    })  # fmt: skip
    return view


def _flags(case: Case, run: Run) -> tuple[str | None, frozenset[str]]:
    """Return what the repair left out by flags, else what the latest scan flagged; by whom."""
    samples = run.result().get("samples") or {}
    scans = flagging_scans(case)
    try:
        if samples.get("scan") or samples.get("people"):
            return _by(samples, scans), _lines(run.path(LEFT_OUT))
        if scans:
            return scans[0]["label"], _lines(case.run(scans[0]["run"]).path(FLAGGED_IDS))
    except (CaseError, OSError, UnicodeDecodeError):
        return None, frozenset()  # what is gone colours nothing
    return None, frozenset()


def _by(samples: dict[str, Any], scans: list[dict[str, Any]]) -> str:
    """Name who flagged what was left out: a scan that is still there by its label."""
    labels = {one["run"]: str(one["label"]) for one in scans}
    label = labels.get(str(samples.get("scan")))
    if label is None:
        return str(short(str(samples.get("method"))))
    return f"{label} or people" if samples.get("people") else label


def _lines(path: Path) -> frozenset[str]:
    return frozenset(path.read_text("utf-8").split("\n"))


def _binned(pair: dict[str, Values], marked: NDArray[np.bool_]) -> dict[str, Any]:
    logs = {state: np.log10(np.maximum(values, FLOOR)) for state, values in pair.items()}
    every = np.concatenate(list(logs.values()))
    usable = every[np.isfinite(every)]
    if not usable.size:
        return {"edges": []}
    low, high = float(usable.min()), float(usable.max())
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    return {"edges": edges.tolist()} | {
        state: {
            "flagged": np.histogram(values[marked], edges)[0].tolist(),
            "kept": np.histogram(values[~marked], edges)[0].tolist(),
            "medians": {"flagged": _median(pair[state][marked]),
                        "kept": _median(pair[state][~marked])},
        }
        for state, values in logs.items()
    }  # fmt: skip


def _median(values: Values) -> float | None:
    return float(np.median(values)) if values.size else None

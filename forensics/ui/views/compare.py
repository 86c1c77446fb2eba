"""Two runs, or two cases, beside each other."""

from typing import Any

import numpy as np

from forensics.case import Case
from forensics.case.names import model_name, shown_place
from forensics.errors import CaseError
from forensics.jobs.flag_tables import flagged_rows, has_flags
from forensics.registry import KINDS, methods
from forensics.runs import Run, State
from forensics.ui.context import Context
from forensics.ui.views.gallery import short
from forensics.ui.views.history import changed_options, run_row
from forensics.ui.views.home import case_card
from forensics.ui.workspace import Entry

MOST = 60  # samples of a part that are named
BINS = 40
BASE = "attention-entropy"
SIDES = ("before", "after", "controls")


def compare_runs(context: Context, one: tuple[str, str], other: tuple[str, str]) -> dict[str, Any]:
    """Return two runs beside each other.

    Args:
        context: The cases.
        one: Case and run.
        other: The same of the second; may be of another case.

    Returns:
        ``kind`` (``runs``), ``sides`` (two rows of the history), ``options`` (every option that is
        not the same in both), ``overlap`` of what both flag, ``rates`` of two repairs and
        ``entropy`` of two attention scans, each with a ``reason`` where it cannot be said.
    """
    cases = [context.case(name) for name, _ in (one, other)]
    runs = [case.run(run) for case, (_, run) in zip(cases, (one, other), strict=True)]
    sides = [
        {"case": name, "title": short(case.manifest.title or case.folder.name)} | run_row(case, run)
        for case, run, (name, _) in zip(cases, runs, (one, other), strict=True)
    ]
    return {
        "kind": "runs",
        "sides": sides,
        "options": _options(cases, runs),
        "overlap": _overlap(cases, runs),
        "rates": _rates(runs),
        "entropy": _entropy(context, (one, other), runs),
    }


def compare_cases(context: Context, one: str, other: str) -> dict[str, Any]:
    """Return two cases beside each other: what they are, and what each method says of them.

    Returns:
        ``kind`` (``cases``), ``sides`` (two cards), ``facts`` (name, both values, whether the same)
        and ``methods`` (label, latest verdict and run of both).
    """
    cases = [context.case(name) for name in (one, other)]
    names = (one, other)
    cards = [
        case_card(Entry(name=name, folder=case.folder, case=case))
        for name, case in zip(names, cases, strict=True)
    ]
    said = [{line["method"]: line for line in card.get("said", ())} for card in cards]
    order = [name for name in methods() if name in said[0] or name in said[1]]
    return {
        "kind": "cases",
        "sides": cards,
        "facts": _facts(cases),
        "methods": [
            {"method": name, "label": (said[0].get(name) or said[1][name])["label"],
             "a": said[0].get(name), "b": said[1].get(name)}
            for name in order
        ],
    }  # fmt: skip


def _facts(cases: list[Case]) -> list[dict[str, Any]]:
    def line(name: str, values: list[str], *, same: bool | None = None) -> dict[str, Any]:
        return {"name": name, "a": values[0], "b": values[1],
                "same": values[0] == values[1] if same is None else same}  # fmt: skip

    manifests = [case.manifest for case in cases]
    found = [
        line("Model", [model_name(m.model) for m in manifests], same=_same_hash(cases, "model")),
        line("Kind of model", [KINDS[m.kind] for m in manifests]),
        line("Data", [shown_place(m.data, c) or "" for m, c in zip(manifests, cases, strict=True)],
             same=_same_hash(cases, "data")),
        line("Samples", [f"{m.samples:,}" for m in manifests]),
        line("Rows left out", [f"{m.errors:,}" for m in manifests]),
    ]  # fmt: skip
    return found


def _same_hash(cases: list[Case], part: str) -> bool | None:
    hashes = [case.manifest.hashes.get(part) for case in cases]
    if hashes[0] is None or hashes[1] is None:
        return None
    return hashes[0].sha256 == hashes[1].sha256


def _options(cases: list[Case], runs: list[Run]) -> list[dict[str, Any]]:
    """Return the options whose values differ, defaults included."""
    said = [
        {line["name"]: line for line in changed_options(case, run)}
        for case, run in zip(cases, runs, strict=True)
    ]
    same = runs[0].method == runs[1].method
    found = []
    for name in dict.fromkeys([*said[0], *said[1]]):
        values = []
        for mine, theirs in ((said[0], said[1]), (said[1], said[0])):
            # Not among what was changed: the default, if both are runs of one method.
            default = theirs[name]["default"] if same and name in theirs else None
            values.append(mine[name]["value"] if name in mine else default)
        if values[0] != values[1]:
            found.append({"name": name, "a": values[0], "b": values[1]})
    return found


def _overlap(cases: list[Case], runs: list[Run]) -> dict[str, Any]:
    """Return how far two runs flag the same samples, told apart by their ids."""
    if any(run.status().state is not State.FINISHED for run in runs):
        return {"reason": "Only finished runs can be compared."}
    if not all(has_flags(run) for run in runs):
        return {"reason": "At least one of them flags no samples."}
    sets = [
        _ids(case, flagged_rows(run, len(case.catalog)))
        for case, run in zip(cases, runs, strict=True)
    ]
    both = sets[0].keys() & sets[1].keys()
    union = len(sets[0].keys() | sets[1].keys())
    parts = {
        "both": (0, [i for i in sets[0] if i in both]),
        "only_a": (0, [i for i in sets[0] if i not in both]),
        "only_b": (1, [i for i in sets[1] if i not in both]),
    }
    return {
        "jaccard": len(both) / union if union else None,
        "parts": {
            key: {
                "n": len(names),
                "side": "ab"[side],
                "samples": [{"id": i, "row": sets[side][i]} for i in names[:MOST]],
            }
            for key, (side, names) in parts.items()
        },
    }


def _ids(case: Case, rows: Any) -> dict[str, int]:
    chosen = [int(row) for row in rows]
    samples = case.catalog.select(chosen)
    return {sample.id: row for sample, row in zip(samples, chosen, strict=True)}


def _rates(runs: list[Run]) -> dict[str, Any] | None:
    """Return CA and ASR of two repairs; ``None`` if they are none."""
    specs = [methods().get(run.method) for run in runs]
    if any(spec is None or spec.kind != "repair" for spec in specs):
        return None
    if any(run.status().state is not State.FINISHED for run in runs):
        return {"reason": "Only finished repairs can be compared."}
    return {
        "sides": [{part: _measured(run.result().get(part)) for part in SIDES[:2]} for run in runs]
    }


def _measured(said: Any) -> dict[str, Any] | None:
    if not isinstance(said, dict):
        return None
    keys = ("clean_accuracy", "attack_success_rate", "n_clean", "n_triggered", "intervals")
    return {key: said.get(key) for key in keys}


def _entropy(
    context: Context, named: tuple[tuple[str, str], tuple[str, str]], runs: list[Run]
) -> dict[str, Any] | None:
    """Return histograms of two attention scans on one scale; ``None`` if they are none."""
    if any(run.method != BASE for run in runs):
        return None
    if any(run.status().state is not State.FINISHED for run in runs):
        return {"reason": "Only finished scans have entropies."}
    try:
        found = [context.evidence(name, run) for name, run in named]
    except CaseError as error:
        return {"reason": str(error)}
    values = [np.asarray(one.arrays.entropy, dtype=np.float64).mean(axis=1) for one in found]
    values = [one[np.isfinite(one)] for one in values]
    if not all(one.size for one in values):
        return {"reason": "No sample has an entropy."}
    low, high = min(one.min() for one in values), max(one.max() for one in values)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    shares = [np.histogram(one, edges)[0] / one.size for one in values]
    return {"edges": edges.tolist(), "a": shares[0].tolist(), "b": shares[1].tolist(),
            "n": [int(one.size) for one in values]}  # fmt: skip

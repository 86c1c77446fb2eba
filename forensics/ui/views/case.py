"""The Case tab: what is open, its scans, and what a scan will cost."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.case.manifest import unread_note
from forensics.case.names import model_name, shown_place, stated_preprocessing
from forensics.registry import KINDS
from forensics.runs import Run, State
from forensics.ui.views.cost import method_cost
from forensics.ui.views.gallery import short
from forensics.ui.views.labels import run_label
from forensics.ui.views.methods import BASE, FIRST

LARGEST_CONFIG = 1 << 20


def case_view(name: str, case: Case, runs: Sequence[Run]) -> dict[str, Any]:
    """Return the open case.

    Args:
        name: Its id in this server.
        case: The case.
        runs: Its runs of methods that look for evidence, newest first.
    """
    manifest = case.manifest
    hashes = manifest.hashes
    return {
        "case": name,
        "title": manifest.title or case.folder.name,
        "sentence": manifest.story,
        "folder": shown_place(str(case.folder), case),
        "model": model_name(manifest.model),
        "kind": manifest.kind,
        "kind_name": KINDS[manifest.kind],
        "preprocessing": stated_preprocessing(manifest.preprocessing),
        "model_uri": shown_place(manifest.model, case),
        "base_uri": shown_place(manifest.base, case),
        "data_uri": shown_place(manifest.data, case),
        "format": manifest.data_format,
        "samples": manifest.samples,
        "errors": manifest.errors,
        "turns": manifest.turns,
        "unread": unread_note(manifest.unread_rows) if manifest.unread_rows else None,
        "created": manifest.created,
        "has_truth": case.has_truth,
        "disk": case.disk_use()["total"],
        "hash": next((hashes[key].sha256 for key in ("data", "model") if key in hashes), ""),
        "hashes": [
            {"what": key, "sha256": h.sha256, "files": h.files, "size": h.bytes}
            for key, h in hashes.items()
        ],
        "latest_run": next((run.id for run in runs if run.method == BASE), None),
        "runs": [run_line(run) for run in runs],
    }


def run_line(run: Run) -> dict[str, Any]:
    """Return a run in one line."""
    state = run.status().state
    said = run.result() if state is State.FINISHED else {}
    # A self-test gives no verdict on the case: it says whether what it planted was found.
    verdict = said.get("outcome" if run.method == "self-test" else "verdict")
    return {
        "id": run.id,
        "method": run.method,
        "label": run_label(run),
        "state": state.value,
        "verdict": verdict,
        "created": run.created,
        "mode": run.options.get("mode"),
        "tau": run.options.get("tau"),
        "bytes": run.disk_use(),
    }


def case_line(name: str, case: Case) -> dict[str, Any]:
    """Return a case in one line of the list of recent ones."""
    runs = case.runs(FIRST.get(case.manifest.kind, BASE))
    latest = run_line(runs[0]) if runs else None
    return {
        "case": name,
        "run": latest["id"] if latest and latest["method"] == BASE else None,
        "title": short(case.manifest.title or case.folder.name),
        "samples": case.manifest.samples,
        "verdict": (latest["verdict"] or latest["state"]) if latest else None,
        "changed": latest["created"] if latest else case.manifest.created,
    }


def estimate_view(case: Case, others: Sequence[Case]) -> dict[str, Any]:
    """Return what a scan of the whole case will cost.

    The time comes from the latest finished scan of the same model on this machine; there is no
    guess where none was timed.

    Args:
        case: The case.
        others: Cases whose scans may have timed the same model; the case itself counts too.
    """
    if case.manifest.kind == "clip":
        return {"words": method_cost(case, FIRST["clip"])}
    samples = case.manifest.samples
    rate, basis = _measured_rate(case, [case, *others])
    shape = _shape(case.manifest.model)
    size = None if shape is None else samples * shape[0] * (16 + shape[1] * 6)
    return {
        "samples": samples,
        "seconds": None if rate is None else samples / rate,
        "basis": basis,
        "bytes": size,
        "hint": "The scan shows its own rate as soon as it has read the first batch.",
    }


def _measured_rate(case: Case, cases: Sequence[Case]) -> tuple[float | None, str]:
    for other in cases:
        if other.manifest.model != case.manifest.model and not _same_model(case, other):
            continue
        for run in other.runs(BASE):
            if run.status().state is not State.FINISHED:
                continue
            rate = run.result().get("samples_per_second")
            if isinstance(rate, int | float) and rate > 0:
                where = "this case" if other is case else "another case"
                return float(rate), f"{rate:,.0f} samples/s measured on this model in {where}"
    return None, ""


def _same_model(one: Case, other: Case) -> bool:
    mine, theirs = one.manifest.hashes.get("model"), other.manifest.hashes.get("model")
    return mine is not None and theirs is not None and mine.sha256 == theirs.sha256


def _shape(uri: str) -> tuple[int, int] | None:
    """Return layers and heads from a model folder's own description; ``None`` if not at hand."""
    base = uri.partition("+adapter:")[0].removeprefix("hf:")  # an adapter has its base's shape
    path = Path(base) / "config.json"
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            return None
        config = json.loads(path.read_text(encoding="utf-8"))
        text = config.get("text_config", config)
        return int(text["num_hidden_layers"]), int(text["num_attention_heads"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # a hub id, or a folder that describes itself otherwise: no estimate

"""The two tables of the zoo: false alarms on clean sets, detection on poisoned ones."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.zoo.pages import make_page
from forensics.lab.zoo import versions
from forensics.statistics.intervals import wilson

RESULTS = Path(__file__).parents[1] / "results" / "zoo"
SUCCESS = 0.8
"""Attacks that succeed less often are listed, not counted: there is little to detect."""


def false_alarms(decided: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count clean cells on which a detector flags anything, and those it calls suspicious."""
    clean = [cell for cell in decided if cell["facts"]["planted"] is None]
    names = list(clean[0]["detectors"]) if clean else []
    rates = {name: _rate([c["detectors"][name]["flagged"] > 0 for c in clean]) for name in names}
    called = {
        name: _rate([c["detectors"][name]["verdict"] == "suspicious" for c in clean])
        for name in names
        if all("verdict" in c["detectors"][name] for c in clean)
    }
    kinds: dict[str, dict[str, list[int]]] = {}
    for cell in clean:
        kind = cell["cell"].removeprefix("report-clean-").rpartition("-")[0]
        for name in names:
            alarms = kinds.setdefault(kind, {}).setdefault(name, [0, 0])
            alarms[0] += cell["detectors"][name]["flagged"] > 0
            alarms[1] += 1
    return {
        "what": "share of clean sets on which a detector flags at least one sample",
        "sets": len(clean),
        "alarm_rate": rates,
        "suspicious_rate": called,
        "by_kind": kinds,
        "cells": {c["cell"]: _small(c) for c in clean},
        "versions": versions(),
    }


def detection(decided: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Precision, recall and F1 of every detector on every poisoned cell."""
    poisoned = [cell for cell in decided if cell["facts"]["planted"] is not None]
    return {
        "what": "precision, recall, F1 of the flags; 95 % intervals bootstrapped over images",
        "counted_from_asr": SUCCESS,
        "cells": {
            cell["cell"]: {
                "trigger": cell["facts"]["planted"]["trigger"],
                "target": cell["facts"]["planted"]["target"],
                "counted": cell["measured"]["attack_success_rate"] >= SUCCESS,
                **{k: v for k, v in cell["measured"].items() if k != "skipped"},
                "detectors": cell["detectors"],
            }
            for cell in poisoned
        },
        "versions": versions(),
    }


def write_tables(decided: Sequence[dict[str, Any]]) -> str:
    """Write both JSON files and the Markdown; return the Markdown."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    alarms, found = false_alarms(decided), detection(decided)
    for name, figures in (("false_alarms", alarms), ("detection", found)):
        text = json.dumps(figures, indent=1) + "\n"
        (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    page = make_page(alarms, found)
    (RESULTS / "tables.md").write_text(page, encoding="utf-8")
    return page


def _rate(alarms: Sequence[bool]) -> dict[str, Any]:
    low, high = wilson(sum(alarms), len(alarms))
    return {"alarms": sum(alarms), "n": len(alarms), "interval": [low, high]}


def _small(cell: dict[str, Any]) -> dict[str, Any]:
    flags = {name: said["flagged"] for name, said in cell["detectors"].items()}
    return {"clean_accuracy": cell["measured"]["clean_accuracy"], "n": cell["facts"]["n"], **flags}

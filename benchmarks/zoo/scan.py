"""Scan the built cells through the same jobs as the command line; every finished run is kept."""

from pathlib import Path
from typing import Any

from benchmarks.zoo.build import Bench
from benchmarks.zoo.cells import Cell
from forensics.api.running import run_method
from forensics.case import Case
from forensics.lab.drawing import DATA_FILE
from forensics.registry import find_method
from forensics.runs import Run

# The maps of few samples do: the tables are made of entropies, masses and embeddings.
SCAN_OPTIONS = {"max_maps": 64}


def case_of(cell: Cell, bench: Bench) -> Case:
    """Open the case of a built cell, or make it."""
    folder = bench.folder(cell)
    if (folder / "case" / "case.json").is_file():
        return Case.open(folder / "case")
    adapter = folder / "tuned" / "adapter"
    return Case.create(
        folder / "case",
        model=f"hf:{bench.base}+adapter:{adapter}",
        base=str(bench.base),
        data=f"llava:{folder / 'data' / DATA_FILE}",
    )


def run_once(case: Case, method: str, options: dict[str, Any]) -> Run:
    """Return the finished run of a method on a case; do it, or go on with it, where it is not."""
    for run in case.runs(method):
        if run.status().state == "finished":
            return run
    unfinished = [run.id for run in case.runs(method)]
    resume = unfinished[0] if unfinished else None
    return run_method(case, find_method(method), options, resume=resume).run


def scan(cell: Cell, bench: Bench) -> Path:
    """Record the attention of every sample of a cell; return the run's folder."""
    return run_once(case_of(cell, bench), "attention-entropy", SCAN_OPTIONS).folder

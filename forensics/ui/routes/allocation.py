"""Figures of a finished attention-allocation run: its heads, and one head at a time."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter

from forensics.errors import CaseError
from forensics.jobs.attention_allocation.tables import load_tables
from forensics.runs import Run, State
from forensics.ui.context import Context
from forensics.ui.views.allocation import Tables, allocation_view, head_histogram, mass_means

METHOD = "attention-allocation"


def allocation_routes(context: Context) -> APIRouter:
    """Return the routes of the Allocation panel; none of them needs the model."""
    routes = APIRouter(prefix="/api/cases/{name}/runs/{run}/allocation")

    @routes.get("")
    def summary(name: str, run: str) -> dict[str, Any]:
        found = _finished(context.case(name).run(run))
        return {"run": run, **allocation_view(_tables(found.folder), found.result())}

    @routes.get("/heads/{place}")
    def head(name: str, run: str, place: int) -> dict[str, Any]:
        tables = _tables(_finished(context.case(name).run(run)).folder)
        histogram = head_histogram(tables, place)
        means = mass_means(tables, histogram["layer"], histogram["head"])
        return {"place": place, "histogram": histogram, "means": means}

    return routes


def _finished(run: Run) -> Run:
    state = run.status().state
    if run.method != METHOD or state is not State.FINISHED:
        raise CaseError(f"{run.id} is no finished {METHOD} run.", remedy="Run the method first.")
    return run


def _tables(folder: Path) -> Tables:
    try:
        return load_tables(folder)
    except OSError as error:
        raise CaseError(f"The tables of {folder.name} are gone.", remedy="Run it again.") from error

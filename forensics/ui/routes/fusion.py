"""Figures of a finished evidence-fusion run."""

from typing import Any

from fastapi import APIRouter

from forensics.errors import CaseError
from forensics.jobs.evidence_fusion.told import fusion_view
from forensics.runs import State
from forensics.ui.context import Context

METHOD = "evidence-fusion"


def fusion_routes(context: Context) -> APIRouter:
    """Return the route of the Fusion panel; it needs no model."""
    routes = APIRouter(prefix="/api/cases/{name}/runs/{run}/fusion")

    @routes.get("")
    def summary(name: str, run: str) -> dict[str, Any]:
        found = context.case(name).run(run)
        if found.method != METHOD or found.status().state is not State.FINISHED:
            raise CaseError(f"{run} is no finished {METHOD} run.", remedy="Run the method first.")
        return {"run": run, **fusion_view(found.result())}

    return routes

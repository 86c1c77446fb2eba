"""A run's progress, its cancel and resume, and a cut moved by hand."""

from math import isfinite
from typing import Any

from fastapi import APIRouter, Body

from forensics.detectors.attention_entropy import recut
from forensics.errors import OptionError
from forensics.runs import Run
from forensics.runs.damage import damaged_runs
from forensics.runs.references import check_deletable
from forensics.ui.context import Context, check_decision
from forensics.ui.jobs import cancel_run, look_at, resume_run
from forensics.ui.views.job import job_view


def job_routes(context: Context) -> APIRouter:
    """Return the routes of the job bar and the record of the cut."""
    routes = APIRouter(prefix="/api/cases/{name}/runs/{run}")

    @routes.get("")
    def status(name: str, run: str) -> dict[str, Any]:
        return job_view(look_at(context.case(name), run))

    @routes.post("/cancel")
    def cancel(name: str, run: str) -> dict[str, Any]:
        case = context.case(name)
        cancel_run(case, run)
        case.journal.record("cancel", run=run)
        return job_view(case.run(run))

    @routes.post("/resume")
    def resume(name: str, run: str) -> dict[str, Any]:
        case = context.case(name)
        resume_run(case, run)
        case.journal.record("resume", run=run)
        return job_view(case.run(run))

    @routes.post("/delete")
    def delete(name: str, run: str) -> dict[str, Any]:
        case = context.case(name)
        lost = next((one for one in damaged_runs(case.runs_dir) if one.id == run), None)
        doomed = lost or look_at(case, run)
        if isinstance(doomed, Run):
            check_deletable(doomed, case.runs())
        freed = doomed.disk_use()
        doomed.delete()
        case.journal.record("delete-run", run=run, bytes=freed)
        return {"freed": freed}

    @routes.get("/cut")
    def recorded(name: str, run: str, rule: str, tau: float) -> dict[str, Any]:
        check_decision(rule, tau)
        entries = context.case(name).journal.entries("move-cut")
        for entry in reversed(entries):
            detail = entry.detail
            if (detail.get("run"), detail.get("rule"), detail.get("tau")) == (run, rule, tau):
                return {"cut": detail.get("cut"), "at": entry.at, "who": entry.who}
        return {"cut": None}

    @routes.post("/cut")
    def move(
        name: str, run: str, rule: str = Body(), tau: float = Body(),
        cut: float | None = Body(default=None),
    ) -> dict[str, Any]:  # fmt: skip
        check_decision(rule, tau)
        if cut is not None and not isfinite(cut):
            raise OptionError("The cut must be a finite number.")
        decision = context.evidence(name, run).decision(rule, tau)
        moved = decision if cut is None else recut(decision, cut)
        context.case(name).journal.record(
            "move-cut", run=run, rule=rule, tau=tau, cut=cut, rule_cut=decision.cut,
            flagged=moved.count, manual=cut is not None,
        )  # fmt: skip
        return {"flagged": moved.count, "kept": moved.scanned - moved.count}

    return routes

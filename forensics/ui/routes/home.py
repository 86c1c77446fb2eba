"""Home: recent cases, the run history, and two things beside each other."""

from typing import Any

from fastapi import APIRouter

from forensics.errors import OptionError
from forensics.ui.context import Context
from forensics.ui.views.compare import compare_cases, compare_runs
from forensics.ui.views.history import history_rows
from forensics.ui.views.home import case_card, disk_view


def home_routes(context: Context) -> APIRouter:
    """Return the routes of Home."""
    routes = APIRouter(prefix="/api")

    @routes.get("/home/cases")
    def cases() -> dict[str, Any]:
        return {"cases": [case_card(entry) for entry in context.workspace.entries()]}

    @routes.get("/cases/{name}/disk")
    def disk(name: str) -> dict[str, int]:
        return disk_view(context.case(name))

    @routes.post("/cases/{name}/forget")
    def forget(name: str) -> dict[str, bool]:
        context.workspace.forget(name)
        return {"ok": True}

    @routes.get("/home/runs")
    def every_run() -> dict[str, Any]:
        found = [entry for entry in context.workspace.entries() if entry.case is not None]
        rows = [
            row for entry in found if entry.case for row in history_rows(entry.name, entry.case)
        ]
        return {"runs": sorted(rows, key=lambda row: str(row["created"]), reverse=True)}

    @routes.get("/cases/{name}/history")
    def runs(name: str) -> dict[str, Any]:
        return {"runs": history_rows(name, context.case(name))}

    @routes.get("/home/compare")
    def compare(a: str, b: str) -> dict[str, Any]:
        one, other = _named(a), _named(b)
        if (one[1] is None) != (other[1] is None):
            raise OptionError(
                "A run and a case cannot be compared.", remedy="Choose two of a kind."
            )
        if one[1] is None or other[1] is None:
            return compare_cases(context, one[0], other[0])
        return compare_runs(context, (one[0], one[1]), (other[0], other[1]))

    return routes


def _named(text: str) -> tuple[str, str | None]:
    """Take ``case`` or ``case.run`` apart."""
    case, _, run = text.partition(".")
    return case, run or None

"""The comparison of a scan's candidates with controls: where it stands, and its start."""

from typing import Any

from fastapi import APIRouter

from forensics.detectors.options.masked_views import MaskedViewsOptions
from forensics.options import build_options, options_to_dict
from forensics.ui.context import Context
from forensics.ui.jobs import look_at, start_run
from forensics.ui.views.masked_views import METHOD, diagnostic_view, find_diagnostic


def masked_view_routes(context: Context) -> APIRouter:
    """Return the routes of the diagnostic, by its own run or by the scan that it looks at."""
    routes = APIRouter(prefix="/api/cases/{name}/runs/{run}/masked-views")

    @routes.get("")
    def latest(name: str, run: str) -> dict[str, Any]:
        case = context.case(name)
        asked = case.run(run)
        found = asked if asked.method == METHOD else find_diagnostic(case, asked.id)
        return diagnostic_view(None if found is None else look_at(case, found.id))

    @routes.post("")
    def start(name: str, run: str) -> dict[str, Any]:
        case = context.case(name)
        options = build_options(MaskedViewsOptions, {"run": case.run(run).id})
        return diagnostic_view(start_run(case, METHOD, options_to_dict(options)))

    return routes

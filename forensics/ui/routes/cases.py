"""Cases: the recent ones, an open one, its preview and what a scan of it will cost."""

import secrets
from typing import Any

from fastapi import APIRouter

from forensics.ui.context import Context
from forensics.ui.views.addresses import address
from forensics.ui.views.case import case_line, case_view, estimate_view
from forensics.ui.views.gallery import error_rows, gallery_page
from forensics.ui.views.methods import evidence_runs

PREVIEW, MOST, ERRORS = 12, 48, 200


def case_routes(context: Context) -> APIRouter:
    """Return the routes of the Case tab."""
    routes = APIRouter(prefix="/api")
    token = secrets.token_hex(8)

    @routes.get("/alive")
    def alive() -> dict[str, str]:
        return {"server": token}

    @routes.get("/cases")
    def recent() -> dict[str, Any]:
        return {"cases": [case_line(name, case) for name, case in context.workspace.recent()]}

    @routes.get("/cases/{name}")
    def opened(name: str) -> dict[str, Any]:
        case = context.case(name)
        return case_view(name, case, evidence_runs(case))

    @routes.get("/cases/{name}/preview")
    def preview(name: str, start: int = 0, most: int = PREVIEW) -> dict[str, Any]:
        case = context.case(name)
        first = max(0, start)
        samples = case.catalog.samples(first, first + min(max(1, most), MOST))
        rows = list(range(first, first + len(samples)))
        pictures = [
            address(name, row, sample.image is not None)
            for row, sample in zip(rows, samples, strict=True)
        ]
        return {
            "items": gallery_page(samples, rows, pictures),
            "total": len(case.catalog),
            "errors": error_rows(case.row_errors(0, ERRORS)),
            "error_total": case.manifest.errors,
        }

    @routes.get("/cases/{name}/estimate")
    def estimate(name: str) -> dict[str, Any]:
        case = context.case(name)
        others = [other for _, other in context.workspace.recent() if other is not case]
        return estimate_view(case, others)

    return routes

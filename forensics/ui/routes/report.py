"""The report of a case as a download; a copy stays in the case."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from forensics.errors import OptionError
from forensics.export.report import export_report
from forensics.ui.context import Context

TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


def report_routes(context: Context) -> APIRouter:
    """Return the route of the report: written anew each time, from what is finished now."""
    routes = APIRouter()

    @routes.get("/api/cases/{name}/report.{suffix}")
    def report(name: str, suffix: str, reveal: Annotated[bool, Query()] = False) -> FileResponse:
        if suffix not in TYPES:
            raise OptionError("A report is html or json.")
        case = context.case(name)
        place = case.folder / "exports"
        place.mkdir(mode=0o700, exist_ok=True)
        stem = "report-revealed" if reveal else "report"
        if reveal:
            case.journal.record("reveal", report=True)
        export_report(case, place / f"{stem}.html", reveal=reveal, overwrite=True)
        # Opened from this address, it would be a page of the app's own origin: it is only saved.
        return FileResponse(
            place / f"{stem}.{suffix}", media_type=TYPES[suffix], filename=f"{stem}.{suffix}",
            content_disposition_type="attachment",
        )  # fmt: skip

    return routes

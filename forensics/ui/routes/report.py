"""The Report tab: its outline, a preview, sign-off, and the report as a download."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.responses import FileResponse

from forensics.errors import OptionError
from forensics.export.report import export_report
from forensics.report.gather import gather
from forensics.report.page import page
from forensics.report.signing import sign
from forensics.ui.context import Context
from forensics.ui.views.report import report_view

TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


def report_routes(context: Context) -> APIRouter:
    """Return the routes of the tab; a report is written anew each time, from what is finished."""
    routes = APIRouter()

    @routes.get("/api/cases/{name}/report")
    def outlined(name: str) -> dict[str, Any]:
        return report_view(context.case(name))

    @routes.get("/api/cases/{name}/report/page")
    def preview(name: str) -> dict[str, str]:
        # A string of JSON, never a page of this address: whoever opens it sees text.
        found = gather(context.case(name), generated=datetime.now(UTC))
        return {"page": page(found, comforts=False).encode("utf-8", "replace").decode()}

    @routes.post("/api/cases/{name}/report/sign")
    def signed(
        name: str,
        by: Annotated[str, Body()],
        role: Annotated[str, Body()] = "",
        statement: Annotated[str, Body()] = "",
        facts_sha256: Annotated[str, Body()] = "",
    ) -> dict[str, Any]:
        case = context.case(name)
        if report_view(case)["facts_sha256"] != facts_sha256:
            raise OptionError(
                "The findings changed while you read them; nothing was signed.",
                remedy="Look at them again, then sign.",
            )
        sign(case, by, role=role, statement=statement)
        return report_view(case)

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

"""The transplant test of a scan: where it stands, its start, and the pictures it made."""

from typing import Any

from fastapi import APIRouter, Body
from fastapi.responses import FileResponse

from forensics.errors import CaseError, DataError
from forensics.jobs.transplant.options import TransplantOptions
from forensics.options import build_options, options_to_dict
from forensics.ui.context import Context
from forensics.ui.jobs import look_at, start_run
from forensics.ui.routes.pictures import HEADERS, TYPES
from forensics.ui.views.transplant import METHOD, find_transplant, transplant_view


def transplant_routes(context: Context) -> APIRouter:
    """Return the routes of the transplant panel."""
    routes = APIRouter()

    @routes.get("/api/cases/{name}/runs/{run}/transplant")
    def latest(name: str, run: str) -> dict[str, Any]:
        case = context.case(name)
        found = find_transplant(case, case.run(run))
        return transplant_view(name, None if found is None else look_at(case, found.id))

    @routes.post("/api/cases/{name}/runs/{run}/transplant")
    def start(name: str, run: str, force: int = Body(default=0, embed=True)) -> dict[str, Any]:
        case = context.case(name)
        for earlier in case.runs(METHOD):
            if look_at(case, earlier.id).status().state.active:
                raise CaseError(
                    "A transplant test of this case is under way.",
                    remedy="Wait for it, or cancel it with the button at the top.",
                )
        options = build_options(TransplantOptions, {"run": case.run(run).id, "force": force})
        return transplant_view(name, start_run(case, METHOD, options_to_dict(options)))

    @routes.get("/pictures/{name}/kept/{address}")
    def kept(name: str, address: str) -> FileResponse:
        path = context.case(name).pictures.kept(address)
        if path is None:
            raise DataError("This picture is gone.", remedy="Run the transplant test again.")
        tag = {"ETag": f'"{path.stem}"'}
        return FileResponse(path, media_type=TYPES[path.suffix], headers=HEADERS | tag)

    return routes

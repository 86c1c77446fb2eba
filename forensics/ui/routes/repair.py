"""The Repair tab: methods and runs of a case, one repair before and after, and its export."""

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from forensics.errors import OptionError
from forensics.runs import Run
from forensics.ui.context import Context
from forensics.ui.repair_export import zip_repair
from forensics.ui.routes.pictures import HEADERS
from forensics.ui.views.addresses import address
from forensics.ui.views.repair import finished_repair, live_view, repair_view
from forensics.ui.views.repair_comparison import (
    HOWS,
    attention_view,
    example_picture,
    plane_view,
    resistivity_view,
)
from forensics.ui.views.repair_tokens import tokens_view
from forensics.ui.views.repair_views import views_view
from forensics.ui.views.repairs import repairs_view


def repair_routes(context: Context) -> APIRouter:
    """Return the routes of the tab; none of them needs the model."""
    routes = APIRouter()
    base = "/api/cases/{name}/runs/{run}/repair"

    def finished(name: str, run: str) -> Run:
        return finished_repair(context.case(name).run(run))

    @routes.get("/api/cases/{name}/repairs")
    def repairs(name: str) -> dict[str, Any]:
        return repairs_view(context.case(name))

    @routes.get(base)
    def one(name: str, run: str) -> dict[str, Any]:
        return repair_view(context.case(name), finished(name, run))

    @routes.get(base + "/losses")
    def losses(name: str, run: str) -> dict[str, Any]:
        return live_view(context.case(name).run(run))

    @routes.get(base + "/resistivity")
    def resistivity(name: str, run: str) -> dict[str, Any]:
        return resistivity_view(finished(name, run))

    @routes.get(base + "/plane")
    def plane(name: str, run: str) -> dict[str, Any]:
        return plane_view(finished(name, run))

    @routes.get(base + "/views")
    def views(name: str, run: str) -> dict[str, Any]:
        return views_view(context.case(name), finished(name, run))

    @routes.get(base + "/attention/{place}")
    def attention(name: str, run: str, place: int) -> dict[str, Any]:
        return attention_view(finished(name, run), place)

    @routes.get(base + "/tokens")
    def tokens(name: str, run: str, start: int = 0, most: int = 8) -> dict[str, Any]:
        found = finished(name, run)
        return tokens_view(
            context.case(name), found, start, most, lambda row: address(name, row, True, "view")
        )

    @routes.get("/pictures/{name}/repairs/{run}/{place}/{how}.png")
    def picture(name: str, run: str, place: int, how: str, request: Request) -> Response:
        if how not in HOWS:
            raise OptionError(f"A picture is {' or '.join(HOWS)}.")
        drawn = example_picture(finished(name, run), place, how)
        tag = f'"{hashlib.sha256(drawn).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=HEADERS | {"ETag": tag})
        return Response(drawn, media_type="image/png", headers=HEADERS | {"ETag": tag})

    @routes.get("/api/cases/{name}/runs/{run}/repaired.zip")
    def export(name: str, run: str) -> FileResponse:
        path = zip_repair(context.case(name), finished(name, run).id)
        return FileResponse(
            path, media_type="application/zip", filename=f"{run}-repaired.zip",
            background=BackgroundTask(path.unlink, missing_ok=True),
        )  # fmt: skip

    return routes

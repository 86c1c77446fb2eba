"""The Triggers tab: runs, classes, pictures of triggers, and a trigger put on a picture."""

import hashlib
from typing import Any

from fastapi import APIRouter, Body, Request, Response

from forensics.case import Case
from forensics.errors import DataError, OptionError
from forensics.jobs.trigger_inversion.drawing import (
    draw_trigger,
    fitted,
    numbers_of,
    size_of,
)
from forensics.jobs.trigger_inversion.stored import read_trigger
from forensics.triggers import Pixels
from forensics.ui.context import Context
from forensics.ui.jobs import ask_worker
from forensics.ui.routes.pictures import HEADERS
from forensics.ui.views.trigger_repair import METHOD as REPAIR
from forensics.ui.views.trigger_repair import repair_view
from forensics.ui.views.trigger_transplant import METHOD as GRAFT
from forensics.ui.views.trigger_transplant import latest_about, transplant_view
from forensics.ui.views.triggers import (
    budget_of,
    class_view,
    finished_inversion,
    inversion_runs,
    triggers_view,
)

ON_PICTURE = ("image", "difference")


def trigger_routes(context: Context) -> APIRouter:
    """Return the routes of the tab; only ``apply`` asks the model."""
    routes = APIRouter()
    base = "/api/cases/{name}/runs/{run}/triggers"

    @routes.get("/api/cases/{name}/triggers")
    def runs(name: str) -> dict[str, Any]:
        return {"runs": inversion_runs(context.case(name))}

    @routes.get(base)
    def summary(name: str, run: str) -> dict[str, Any]:
        return triggers_view(finished_inversion(context.case(name), run))

    @routes.get(base + "/{index}")
    def one(name: str, run: str, index: int) -> dict[str, Any]:
        found = finished_inversion(context.case(name), run)
        view = class_view(found, index)
        for place, seed in enumerate(view["seeds"]):
            seed["numbers"] = numbers_of(read_trigger(found.folder, index, place))
        return view

    @routes.get(base + "/about/transplant")
    def transplant(name: str, run: str) -> dict[str, Any]:
        case = context.case(name)
        found = latest_about(case, GRAFT, case.run(run).id)
        return {"view": None if found is None else transplant_view(name, found)}

    @routes.get(base + "/about/repair")
    def repair(name: str, run: str) -> dict[str, Any]:
        case = context.case(name)
        found = latest_about(case, REPAIR, case.run(run).id)
        return {"view": None if found is None else repair_view(found)}

    @routes.get("/pictures/{name}/triggers/{run}/{index}.png")
    def picture(
        name: str, run: str, index: int, request: Request, look: str = "plain",
        seed: int = 0, row: int | None = None,
    ) -> Response:  # fmt: skip
        case = context.case(name)
        found = finished_inversion(case, run)
        trigger = read_trigger(found.folder, index, seed)
        below, sample = None, ""
        if look in ON_PICTURE:
            below, sample = _below(case, row, size_of(trigger))
        budget = budget_of(found.result(), found)
        drawn = draw_trigger(trigger, look, budget=budget, picture=below, sample_id=sample)
        tag = f'"{hashlib.sha256(drawn).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=HEADERS | {"ETag": tag})
        return Response(drawn, media_type="image/png", headers=HEADERS | {"ETag": tag})

    @routes.post(base + "/{index}/apply")
    def apply(
        name: str, run: str, index: int, row: int = Body(), seed: int = Body(default=0),
        strength: float = Body(default=1.0),
    ) -> dict[str, Any]:  # fmt: skip
        case = context.case(name)
        asked = {"run": finished_inversion(case, run).id, "class": index, "seed": seed,
                 "strength": strength, "sample": case.catalog.select([row])[0].id}  # fmt: skip
        return ask_worker(case, "apply_trigger", asked)

    return routes


def _below(case: Case, row: int | None, size: tuple[int, int] | None) -> tuple[Pixels, str]:
    """Return the picture of a row as a trigger of some size wants it, and the sample's id."""
    if row is None:
        raise OptionError("Name the row of a picture to put the trigger on.")
    sample = case.catalog.select([row])[0]
    if sample.image is None:
        raise DataError(f"Sample {sample.id[:80]!r} has no image.")
    return fitted(case.pictures.picture(sample), size), sample.id

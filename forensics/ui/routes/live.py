"""Questions that only the model can answer; they go to the worker."""

from typing import Any

from fastapi import APIRouter, Body

from forensics.errors import OptionError
from forensics.ui.context import Context
from forensics.ui.jobs import ask_worker, model_is_warm

KINDS = ("answer", "attention", "occlusion", "pooling-attention")
MOST_BOXES = 8


def live_routes(context: Context) -> APIRouter:
    """Return the routes of live requests."""
    routes = APIRouter(prefix="/api/cases/{name}/live")

    @routes.get("")
    def warm(name: str) -> dict[str, Any]:
        return {"warm": model_is_warm(context.case(name))}

    @routes.post("/{kind}")
    def ask(
        name: str,
        kind: str,
        row: int = Body(),
        hide: list[list[float]] = Body(default=[]),  # noqa: B008
        image: int = Body(default=0),
    ) -> dict[str, Any]:
        if kind not in KINDS:
            raise OptionError(f"The model can be asked for {', '.join(KINDS)}.")
        if len(hide) > MOST_BOXES:
            raise OptionError(f"At most {MOST_BOXES} boxes can be hidden.")
        case = context.case(name)
        sample = case.catalog.select([row])[0]
        return ask_worker(case, kind, {"sample": sample.id, "hide": hide, "image": image})

    return routes

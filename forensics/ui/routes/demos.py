"""The demo cases that are shipped with the program."""

from typing import Any

from fastapi import APIRouter

from forensics.ui.context import Context
from forensics.ui.demos import enter_demo, list_demos, opening_step
from forensics.ui.views.methods import BASE


def demo_routes(context: Context) -> APIRouter:
    """Return the routes of the demo cards."""
    routes = APIRouter(prefix="/api/demos")

    @routes.get("")
    def listed() -> dict[str, Any]:
        return {"demos": list_demos(context.workspace)}

    @routes.get("/{name}/step")
    def step(name: str) -> dict[str, str]:
        return {"step": opening_step(name)}

    @routes.post("/{name}/open")
    def enter(name: str) -> dict[str, Any]:
        case = enter_demo(context.workspace, name)
        runs = context.case(case).runs(BASE)
        return {"case": case, "run": runs[0].id if runs else None}

    return routes

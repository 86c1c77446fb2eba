"""The demo cases that are shipped with the program."""

from typing import Any

from fastapi import APIRouter

from forensics.ui.context import Context


def demo_routes(context: Context) -> APIRouter:
    """Return the routes of the demo cards."""
    routes = APIRouter(prefix="/api/demos")

    @routes.get("")
    def listed() -> dict[str, Any]:
        return {"demos": []}

    return routes

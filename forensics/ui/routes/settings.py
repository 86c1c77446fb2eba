"""The settings of the machine that serves the page."""

from typing import Any

from fastapi import APIRouter, Body, Request

from forensics.errors import OptionError
from forensics.settings import save
from forensics.ui.context import Context
from forensics.ui.login.request import user_of
from forensics.ui.views.settings import settings_view


def settings_routes(_context: Context) -> APIRouter:
    """Return the routes of the drawer Settings."""
    routes = APIRouter(prefix="/api")

    @routes.get("/settings")
    def shown(request: Request) -> dict[str, Any]:
        return settings_view(changeable=user_of(request) is None)

    @routes.post("/settings")
    def change(
        request: Request,
        values: dict[str, Any] = Body(embed=True),  # noqa: B008
    ) -> dict[str, Any]:
        if user_of(request) is not None:
            raise OptionError(
                "Whoever logs in from elsewhere cannot change what this machine allows.",
                remedy="Its owner can, in the settings file or in the environment.",
            )
        save(values)
        return settings_view(changeable=True)

    return routes

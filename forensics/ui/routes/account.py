"""Who is using the page."""

from typing import Any

from fastapi import APIRouter, Request

from forensics.case.people import account
from forensics.ui.context import Context
from forensics.ui.login.request import user_of


def account_routes(_context: Context) -> APIRouter:
    """Return the route that tells the page who it is for."""
    routes = APIRouter(prefix="/api")

    @routes.get("/account")
    def who(request: Request) -> dict[str, Any]:
        return {"name": account(), "login": user_of(request) is not None}

    return routes

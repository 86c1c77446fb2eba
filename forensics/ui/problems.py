"""What goes wrong on our routes, as a message; details of bugs go to the log only."""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from forensics.errors import CaseError, ForensicsError, InputError

log = logging.getLogger(__name__)


def explain_errors(app: FastAPI) -> None:
    """Answer every error of our routes with JSON ``{error, remedy}``."""
    app.add_exception_handler(ForensicsError, _known)
    app.add_exception_handler(Exception, _unknown)


def _known(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ForensicsError)
    status = 500
    if isinstance(error, CaseError):
        status = 404
    elif isinstance(error, InputError):
        status = 400
    return JSONResponse({"error": error.message, "remedy": error.remedy}, status)


def _unknown(request: Request, error: Exception) -> Response:
    log.error("request %s failed", request.url.path, exc_info=error)
    return JSONResponse(
        {"error": "Something went wrong in the app.", "remedy": "Its log says what."}, 500
    )

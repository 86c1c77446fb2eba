"""The methods of a case: what each says, how far they agree, and the start of one."""

from typing import Any

import numpy as np
from fastapi import APIRouter, Body, Response
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.flag_tables import flagged_rows, has_flags
from forensics.registry import MethodSpec
from forensics.ui.context import Context
from forensics.ui.starting import start_method
from forensics.ui.views.agreement import agreement_view, flag_masks, mask_bytes
from forensics.ui.views.job import job_view
from forensics.ui.views.labels import method_label
from forensics.ui.views.methods import latest_said, methods_view


def method_routes(context: Context) -> APIRouter:
    """Return the routes of the strip and of the start menu."""
    routes = APIRouter(prefix="/api/cases/{name}")

    @routes.get("/methods")
    def listed(name: str, run: str | None = None) -> dict[str, Any]:
        return methods_view(context.case(name), run)

    @routes.post("/methods/{method}")
    def start(
        name: str,
        method: str,
        options: dict[str, Any] = Body(default={}, embed=True),  # noqa: B008
    ) -> dict[str, Any]:
        return job_view(start_method(context.case(name), method, options))

    @routes.get("/agreement")
    def agreement(name: str, run: str | None = None, of: str | None = None) -> dict[str, Any]:
        found, masks = _masks(context.case(name), run, of)
        labels = [method_label(spec) for spec in found]
        return agreement_view(labels, [spec.name for spec in found], masks)

    @routes.get("/agreement/rows")
    def rows(name: str, run: str | None = None, of: str | None = None) -> Response:
        masks = _masks(context.case(name), run, of)[1]
        return Response(mask_bytes(masks), media_type="application/octet-stream")

    return routes


def _masks(
    case: Case, shown: str | None, of: str | None
) -> tuple[list[MethodSpec], NDArray[np.uint32]]:
    """Return the methods that flag samples and their masks.

    Args:
        case: The case.
        shown: The scan on the page.
        of: The runs that the page takes the bits to stand for, joined by dots; ``None``: any.

    Raises:
        CaseError: The bits stand for other runs by now.
    """
    size = len(case.catalog)
    telling = [(spec, run) for spec, run in latest_said(case, shown) if has_flags(run)]
    if of is not None and of != ".".join(run.id for _, run in telling):
        raise CaseError(
            "The methods speak of other runs than this page.",
            remedy="Another run was finished or deleted meanwhile: load the page again.",
        )
    masks = flag_masks(size, [flagged_rows(run, size) for _, run in telling])
    return [spec for spec, _ in telling], masks

"""What is done with a selection: downloads, and maps drawn without it."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import APIRouter, Body
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from forensics.errors import OptionError
from forensics.export.selection import export_selection
from forensics.jobs.clusters.exclusion import save_exclusion
from forensics.ui.context import Context
from forensics.ui.routes.downloads import TYPES
from forensics.ui.sample_map import METHOD
from forensics.ui.starting import start_method
from forensics.ui.views.job import job_view


def selection_routes(context: Context) -> APIRouter:
    """Return the routes that write a file or start a run, each with its entry in the journal."""
    routes = APIRouter(prefix="/api/cases/{name}/runs/{run}/clusters/selections/{key}")

    @routes.get("/export.{suffix}")
    def export(name: str, run: str, key: str, suffix: str) -> FileResponse:
        if suffix not in TYPES:
            raise OptionError(f"Selections are written as {', '.join(TYPES)}.")
        found = context.sample_map(name, run)
        places = context.maps.recall(found, key)
        more = {"x": found.xy[places, 0], "y": found.xy[places, 1],
                "cluster": found.cluster[places]}  # fmt: skip
        more |= {score: values[places] for score, values in found.scores.items()}
        with tempfile.NamedTemporaryFile(suffix=f".{suffix}", delete=False) as file:
            path = Path(file.name)
        count = export_selection(found.case, found.rows[places], more, path, overwrite=True)
        found.case.journal.record(
            "export", run=run, part="selection", format=suffix, rows=count, selection=key
        )
        return FileResponse(
            path, media_type=TYPES[suffix], filename=f"{run}-selected-{count}.{suffix}",
            background=BackgroundTask(path.unlink, missing_ok=True),
        )  # fmt: skip

    @routes.post("/quarantine")
    def quarantine(
        name: str, run: str, key: str,
        options: dict[str, Any] = Body(default={}, embed=True),  # noqa: B008
    ) -> dict[str, Any]:  # fmt: skip
        found = context.sample_map(name, run)
        places = context.maps.recall(found, key)
        if len(places) in (0, found.count):
            raise OptionError(
                "Select some points, but not all.", remedy="The others make the new map."
            )
        rows = np.union1d(found.excluded, found.rows[places])
        listed = save_exclusion(found.case, found.case.catalog.ids[rows])
        # The same features of the same samples: what was measured is not measured again.
        chosen = found.run.options | {"rescan": False} | options | {"exclude": listed}
        started = start_method(found.case, METHOD, chosen)
        found.case.journal.record(
            "quarantine", run=run, new_run=started.id, samples=len(places), all=len(rows),
            list=listed,
        )  # fmt: skip
        return job_view(started)

    return routes

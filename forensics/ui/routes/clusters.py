"""The Clusters tab: maps of a case, their points, colours, selections and what is known of them."""

import base64
import binascii
from typing import Any

import numpy as np
from fastapi import APIRouter, Body, Response
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import OptionError
from forensics.jobs.flag_tables import flagged_rows, has_flags, scored_rows
from forensics.runs import Run, State
from forensics.ui.context import Context
from forensics.ui.jobs import look_at
from forensics.ui.sample_map import METHOD, SampleMap, unpack_selection
from forensics.ui.views.addresses import address
from forensics.ui.views.clusters import (
    COLUMNS_OF,
    map_line,
    map_view,
    point_bytes,
    sample_items,
    selection_view,
)
from forensics.ui.views.labels import run_label
from forensics.ui.views.map_colours import (
    Codes,
    cluster_codes,
    code_bytes,
    flag_codes,
    text_codes,
    two_legend,
)

BINARY = "application/octet-stream"
LARGEST_PAGE = 96


def cluster_routes(context: Context) -> APIRouter:
    """Return the routes of the tab that only look."""
    routes = APIRouter(prefix="/api/cases/{name}")
    prefix = "/runs/{run}/clusters"

    @routes.get("/clusters")
    def listed(name: str) -> dict[str, Any]:
        case = context.case(name)
        return {"maps": [map_line(look_at(case, run.id)) for run in case.runs(METHOD)]}

    @routes.get(prefix)
    def summary(name: str, run: str) -> dict[str, Any]:
        found = context.sample_map(name, run)
        return map_view(found, [_flag_line(found, other) for other in telling(found.case)])

    @routes.get(prefix + "/points")
    def points(name: str, run: str) -> Response:
        found = context.sample_map(name, run)
        shown = [n for n, values in found.scores.items() if np.isfinite(values).any()]
        return Response(point_bytes(found, shown), media_type=BINARY)

    @routes.get(prefix + "/codes/{what}")
    def codes(name: str, run: str, what: str) -> Response:
        return Response(code_bytes(_codes(context.sample_map(name, run), what)), media_type=BINARY)

    @routes.post(prefix + "/selections")
    def select(name: str, run: str, bits: str = Body(embed=True)) -> dict[str, Any]:
        found = context.sample_map(name, run)
        try:
            content = base64.b64decode(bits, validate=True)
        except (binascii.Error, ValueError) as error:
            raise OptionError("The selection is not of this map.") from error
        chosen = unpack_selection(content, found.count)
        key = context.maps.remember(found, chosen)
        return selection_view(found, key, np.flatnonzero(chosen))

    @routes.get(prefix + "/selections/{key}/page")
    def page(
        name: str, run: str, key: str, start: int = 0, count: int = 24,
        order: str = "row", down: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        found = context.sample_map(name, run)
        if not (start >= 0 and 1 <= count <= LARGEST_PAGE):
            raise OptionError(f"A page has 1 to {LARGEST_PAGE} samples.")
        places = _ordered(found, context.maps.recall(found, key), order, down=down)
        return {"total": len(places), "items": _items(found, name, places[start : start + count])}

    @routes.get(prefix + "/samples/{row}")
    def sample(name: str, run: str, row: int) -> dict[str, Any]:
        found = context.sample_map(name, run)
        place = found.place.get(row)
        if place is None:
            raise OptionError(f"Row {row} is not on this map.")
        return _items(found, name, np.array([place]))[0]

    @routes.get(prefix + "/truth")
    def truth(name: str, run: str) -> dict[str, Any]:
        found = context.sample_map(name, run)
        found.case.journal.record("reveal", run=run)
        result = found.run.result()
        known = {key: result.get(key) for key in ("auc_of_poisoned", "poisoned_cluster")}
        codes = _codes(found, "truth")
        told = two_legend(codes, "poisoned", "not poisoned", "not told")
        return {**known, "poisoned": int((codes == 1).sum()), "legend": told}

    return routes


def telling(case: Case) -> list[Run]:
    """Return the finished runs that flag samples, newest first."""
    finished = [run for run in case.runs() if run.status().state is State.FINISHED]
    return [run for run in finished if run.method != METHOD and has_flags(run)]


def _flag_line(found: SampleMap, run: Run) -> dict[str, Any]:
    codes = _codes(found, run.id)
    return {
        "run": run.id,
        "label": run_label(run),
        "created": run.created,
        "mode": run.result().get("mode"),
        "legend": two_legend(codes, "flagged", "kept", "not scanned"),
    }


def _codes(found: SampleMap, what: str) -> Codes:
    """Return the codes of one way to colour the points: a column, ``truth``, or a run's flags."""
    if what == "cluster":
        return cluster_codes(found.cluster)[0]
    if what in COLUMNS_OF:
        return text_codes(getattr(found, COLUMNS_OF[what]), "")[0]
    if what == "truth":
        truth = found.case.truth()
        told = np.array([truth.get(str(name), -1) for name in found.ids], dtype=np.int64)
        return flag_codes(found.rows, found.rows[told >= 0], found.rows[told == 1])
    run, size = found.case.run(what), len(found.case.catalog)
    if not has_flags(run):
        raise OptionError("This run flags no samples.")
    return flag_codes(found.rows, scored_rows(run), flagged_rows(run, size))


def _ordered(
    found: SampleMap, places: NDArray[np.int64], order: str, *, down: bool
) -> NDArray[np.int64]:
    """Put places in the order of a score, unknown ones last, or of the rows."""
    if order == "row":
        return places[::-1] if down else places
    values = found.cluster if order == "cluster" else found.scores.get(order)
    if values is None:
        raise OptionError(f"There is no order by {order[:40]!r}.")
    keys = values[places].astype(np.float64)
    keys = np.where(np.isfinite(keys), -keys if down else keys, np.inf)
    return np.asarray(places[np.argsort(keys, kind="stable")])


def _items(found: SampleMap, name: str, places: NDArray[np.int64]) -> list[dict[str, Any]]:
    samples = found.samples(places)
    pictures = [
        address(name, int(found.rows[place]), sample.image is not None)
        for place, sample in zip(places, samples, strict=True)
    ]
    return sample_items(found, places, pictures)

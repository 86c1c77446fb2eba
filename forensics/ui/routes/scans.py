"""A finished scan: its summary, histograms, samples, ground truth and arrays."""

from typing import Any

import numpy as np
from fastapi import APIRouter, Response

from forensics.errors import OptionError
from forensics.ui.context import Context, check_decision
from forensics.ui.evidence import RULES, Evidence
from forensics.ui.views.addresses import address
from forensics.ui.views.attention import attention_view, ceiling, truth_view
from forensics.ui.views.binary import entropy_bytes, score_bytes
from forensics.ui.views.gallery import gallery_page
from forensics.ui.views.layers import layer_histogram
from forensics.ui.views.sample import sample_view
from forensics.ui.views.scores import score_histogram

BINARY = "application/octet-stream"
LARGEST_PAGE = 96


def scan_routes(context: Context) -> APIRouter:
    """Return the routes of the Attention tab; none of them needs the model."""
    routes = APIRouter(prefix="/api/cases/{name}/runs/{run}")

    @routes.get("/attention")
    def summary(name: str, run: str, rule: str | None = None, tau: float | None = None) -> Any:
        check_decision(rule, tau)
        return attention_view(context.evidence(name, run), rule, tau)

    @routes.get("/scores")
    def scores(name: str, run: str, rule: str | None = None, tau: float | None = None) -> Any:
        check_decision(rule, tau)
        return score_histogram(context.evidence(name, run).decision(rule, tau))

    @routes.get("/layers/{layer}")
    def layer(
        name: str, run: str, layer: int, rule: str | None = None, tau: float | None = None
    ) -> Any:
        check_decision(rule, tau)
        found = context.evidence(name, run)
        if not 0 <= layer < found.layers:
            raise OptionError(f"The model has layers 0 to {found.layers - 1}.")
        decision = found.decision(rule, tau)
        at_most = None if decision.mode == "guarded" else ceiling(found)
        values, fits = found.shown_values(decision.mode), found.shown_fits(decision)
        return layer_histogram(values, fits, decision, layer, at_most)

    @routes.get("/gallery")
    def gallery(name: str, run: str, rows: str) -> Any:
        wanted = _rows(rows)
        found = context.evidence(name, run)
        places = [_place(found, row) for row in wanted]
        samples = [found.brief(place) for place in places]
        pictures = [
            address(name, row, bool(found.pictured[place]))
            for row, place in zip(wanted, places, strict=True)
        ]
        return {"items": gallery_page(samples, wanted, pictures)}

    @routes.get("/samples/{row}")
    def sample(
        name: str, run: str, row: int, rule: str | None = None, tau: float | None = None
    ) -> Any:
        check_decision(rule, tau)
        return _sample(context, name, context.evidence(name, run), row, (rule, tau))

    @routes.get("/truth")
    def truth(name: str, run: str, tau: float | None = None) -> Any:
        check_decision(None, tau)
        found = context.evidence(name, run)
        found.case.journal.record("reveal", run=run)
        return truth_view(found, {rule: found.decision(rule, tau) for rule in RULES})

    @routes.get("/arrays/entropy")
    def entropy(name: str, run: str) -> Response:
        found = context.evidence(name, run)
        return Response(entropy_bytes(found.arrays.rows, found.values), media_type=BINARY)

    @routes.get("/arrays/residuals")
    def within_strata(name: str, run: str) -> Response:
        found = context.evidence(name, run)
        return Response(entropy_bytes(found.arrays.rows, found.guarded.values), media_type=BINARY)

    @routes.get("/arrays/scores")
    def score_array(
        name: str, run: str, rule: str | None = None, tau: float | None = None
    ) -> Response:
        check_decision(rule, tau)
        decision = context.evidence(name, run).decision(rule, tau)
        content = score_bytes(decision.score, decision.flagged, decision.eligible)
        return Response(content, media_type=BINARY)

    return routes


def _rows(text: str) -> list[int]:
    parts = text.split(",")
    if len(parts) > LARGEST_PAGE or not all(part.isdecimal() for part in parts):
        raise OptionError(f"A page has 1 to {LARGEST_PAGE} rows.")
    return [int(part) for part in parts]


def _sample(
    context: Context,
    name: str,
    found: Evidence,
    row: int,
    decision: tuple[str | None, float | None],
) -> dict[str, Any]:
    place = _place(found, row)
    sample = context.case(name).catalog.select([row])[0]
    arrays = found.arrays
    return sample_view(
        sample, row,
        entropy=found.values[place], peak_token=arrays.peak_token[place],
        peak_mass=arrays.peak_mass[place], masses=np.asarray(arrays.masses[place], np.float32),
        grids=found.layouts.grids(place), maps=found.map(row),
        reason=found.reasons(*decision).reason(place),
        picture=address(name, row, sample.image is not None, "view"),
    )  # fmt: skip


def _place(found: Evidence, row: int) -> int:
    place = found.position.get(row)
    if place is None:
        raise OptionError(f"Row {row} is not part of this scan.")
    return place

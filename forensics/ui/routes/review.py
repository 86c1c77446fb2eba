"""The Review tab: the queue, one sample, and decisions; no route needs the model."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Depends, Request, Response

from forensics.errors import OptionError
from forensics.triage.desk import View
from forensics.ui.context import Context
from forensics.ui.reviewer import has_login, reviewer
from forensics.ui.views.review import (
    agreement_view,
    items_view,
    map_view,
    queue_bytes,
    review_view,
    sample_card,
)

BINARY = "application/octet-stream"
LARGEST_PAGE = 96
LONGEST_NOTE = 4000


def seen_by(request: Request, by: str = "", blind: bool = False) -> View:
    """Return who looks, from the login or the page's field."""
    return View(reviewer(request, by), blind=blind)


Who = Annotated[View, Depends(seen_by)]


def review_routes(context: Context) -> APIRouter:
    """Return the routes of the tab."""
    routes = APIRouter(prefix="/api/cases/{name}/review")

    @routes.get("")
    def summary(name: str, who: Who, request: Request) -> dict[str, Any]:
        return {**review_view(context.desk(name), who), "login": has_login(request)}

    @routes.get("/queue")
    def queue(
        name: str, who: Who, shown: str = "suspected", channel: str | None = None
    ) -> Response:
        desk = context.desk(name)
        rows = desk.queue(who, shown=shown, channel=channel)
        return Response(queue_bytes(desk, who, rows), media_type=BINARY)

    @routes.get("/items")
    def items(name: str, rows: str) -> dict[str, Any]:
        desk = context.desk(name)
        return {"items": items_view(desk, name, _numbers(rows, desk.findings.count))}

    @routes.get("/samples/{row}")
    def sample(name: str, row: int, who: Who) -> dict[str, Any]:
        desk = context.desk(name)
        if not 0 <= row < desk.findings.count:
            raise OptionError(f"The case has no row {row}.")
        return sample_card(desk, name, row, who)

    @routes.get("/agreement")
    def agreement(name: str) -> dict[str, Any]:
        return agreement_view(context.desk(name))

    @routes.post("/compare")
    def compare(name: str, who: Who) -> dict[str, Any]:
        desk = context.desk(name)
        desk.case.journal.record("compare verdicts", who=who.by)
        return agreement_view(desk)

    @routes.post("/decide")
    def decide(
        name: str, who: Who, rows: Annotated[list[int], Body()],
        verdict: Annotated[str | None, Body()] = None, note: Annotated[str | None, Body()] = None,
    ) -> dict[str, Any]:  # fmt: skip
        desk = context.desk(name)
        if note is not None and len(note) > LONGEST_NOTE:
            raise OptionError(f"A note has at most {LONGEST_NOTE:,} characters.")
        done = desk.decide(rows, verdict, who, note=note, chosen="one by one")
        return {"decided": done, "counts": desk.counts(who)}

    @routes.post("/decide-all")
    def decide_all(
        name: str, who: Who, verdict: Annotated[str, Body()], expected: Annotated[int, Body()],
        shown: Annotated[str, Body()] = "suspected",
        channel: Annotated[str | None, Body()] = None,
        selection: Annotated[dict[str, str] | None, Body()] = None,
    ) -> dict[str, Any]:  # fmt: skip
        desk = context.desk(name)
        if selection is None:
            rows, how = desk.queue(who, shown=shown, channel=channel), "filter"
        else:
            rows, how = selected(context, name, selection), "selection on the map"
        if len(rows) != expected:  # somebody decided or scanned meanwhile: look before you leap
            raise OptionError(
                f"There are now {len(rows):,} samples, not {expected:,}.",
                remedy="Look at the list again, then decide.",
            )
        done = desk.decide(rows, verdict, who, chosen=how, shown=shown, channel=channel,
                           selection=selection)  # fmt: skip
        return {"decided": done, "counts": desk.counts(who)}

    @routes.get("/selection")
    def selection(name: str, who: Who, run: str, key: str) -> Response:
        desk = context.desk(name)
        chosen = np.zeros(desk.findings.count, dtype=np.bool_)
        chosen[selected(context, name, {"run": run, "key": key})] = True
        order = desk.findings.order
        return Response(queue_bytes(desk, who, order[chosen[order]]), media_type=BINARY)

    @routes.get("/map")
    def on_map(name: str, who: Who, run: str) -> dict[str, Any]:
        return map_view(context.desk(name), context.sample_map(name, run).rows, who)

    @routes.post("/undo")
    def undo(name: str, who: Who) -> dict[str, Any]:
        desk = context.desk(name)
        rows = desk.undo(who)
        codes = desk.codes(who)
        return {
            "rows": rows[:1],
            "undone": len(rows),
            "verdict": int(codes[rows[0]]) if rows else None,
            "counts": desk.counts(who),
        }

    return routes


def selected(context: Context, name: str, selection: dict[str, str]) -> Any:
    """Return the catalogue rows of a selection that was made on a map."""
    found = context.sample_map(name, selection.get("run", ""))
    return found.rows[context.maps.recall(found, selection.get("key", ""))]


def _numbers(text: str, count: int) -> list[int]:
    parts = text.split(",")
    if len(parts) > LARGEST_PAGE or not all(p.isdecimal() and int(p) < count for p in parts):
        raise OptionError(f"A page has 1 to {LARGEST_PAGE} rows of the case.")
    return [int(part) for part in parts]

"""The Lab tab: plant, train, predict, reveal, repair, and worksheets to print."""

import secrets
from typing import Any, Literal

from fastapi import APIRouter, Body, Response

from forensics.api.running import method_options
from forensics.case import Case
from forensics.errors import CaseError, OptionError
from forensics.options import build_options
from forensics.registry import find_method
from forensics.teaching.controls import spell
from forensics.teaching.evidence import evidence_of
from forensics.teaching.lessons import lesson_of, make_lesson
from forensics.teaching.plans import LessonPlan, secret_plan
from forensics.teaching.predictions import Prediction, commit
from forensics.teaching.previews import preview
from forensics.teaching.recipes import REPAIR
from forensics.teaching.scoring import reveal
from forensics.teaching.steps import Step, active, find_step, pending, steps_of
from forensics.teaching.walkthroughs import walkthroughs
from forensics.teaching.worksheet import worksheet
from forensics.ui.context import Context
from forensics.ui.jobs import cancel_run, look_at, resume_run, start_run
from forensics.ui.starting import start_method
from forensics.ui.views.lab import evidence_view, lab_view, lesson_view, preview_view

Wish = dict[str, Any]
CHOICES = ("kind", "target", "rate", "samples", "seed", "epochs", "title")
SHEETS = {"worksheet": False, "worksheet-with-answers": True}


def lab_routes(context: Context) -> APIRouter:
    """Return the routes of the tab; nothing of the truth leaves them before Reveal."""
    routes = APIRouter(prefix="/api")
    one = "/cases/{name}/lab"

    @routes.get("/lab")
    def lab() -> dict[str, Any]:
        return lab_view()

    @routes.get("/walkthroughs")
    def walks() -> dict[str, Any]:
        return {"walkthroughs": [walk.to_json() for walk in walkthroughs()]}

    @routes.post("/lab/preview")
    def shown(plan: Wish = Body(embed=True)) -> dict[str, Any]:  # noqa: B008
        return preview_view(preview(read_plan(plan)))

    @routes.post("/lab/lessons")
    def make(
        plan: Wish = Body(default={}, embed=True),  # noqa: B008
        hidden: bool = Body(default=False, embed=True),
    ) -> dict[str, Any]:
        wanted = secret_plan(secrets.randbelow(90_000) + 1000) if hidden else read_plan(plan)
        folder = context.workspace.new_folder(wanted.title or f"lesson-{wanted.seed}")
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        case = make_lesson(folder, wanted)
        return {"case": context.workspace.enter(case.folder), "run": go_on(case)}

    @routes.get(one)
    def lesson(name: str) -> dict[str, Any]:
        case = context.case(name)
        game = lesson_of(case)
        for step in steps_of(case, game) if game else ():
            if step.run is not None:
                look_at(case, step.run.id)  # one whose process is gone is told as interrupted
        return lesson_view(case)

    @routes.get(one + "/evidence")
    def evidence(name: str) -> dict[str, Any]:
        return evidence_view(name, evidence_of(context.case(name)))

    @routes.post(one + "/start")
    def start(name: str) -> dict[str, Any]:
        return {"run": go_on(context.case(name))}

    @routes.post(one + "/stop")
    def stop(name: str) -> dict[str, Any]:
        case = context.case(name)
        # The last first: what only waits must not begin when the one before it ends.
        for run in reversed(active(_steps(case))):
            cancel_run(case, run.id)
        return lesson_view(case)

    @routes.post(one + "/predictions")
    def predict(name: str, prediction: Wish = Body(embed=True)) -> dict[str, Any]:  # noqa: B008
        case = context.case(name)
        commit(case, read_wish(prediction))
        return lesson_view(case)

    @routes.post(one + "/reveal")
    def open_truth(name: str) -> dict[str, Any]:
        case = context.case(name)
        _steps(case)
        reveal(case)
        return lesson_view(case)

    @routes.post(one + "/repair")
    def repair(name: str) -> dict[str, Any]:
        case = context.case(name)
        step = find_step(_steps(case), REPAIR)
        assert step is not None
        if step.run is not None and step.state is not None and step.state.resumable:
            resume_run(case, step.run.id)
            return {"run": step.run.id, "method": step.method}
        return {"run": start_method(case, step.method, {}).id, "method": step.method}

    @routes.get(one + "/{sheet}.html")
    def printed(name: str, sheet: Literal["worksheet", "worksheet-with-answers"]) -> Response:
        case = context.case(name)
        text = worksheet(case, answers=SHEETS[sheet])
        if SHEETS[sheet]:  # teachers print it beforehand; whoever else did stands in the journal
            case.journal.record("print-answers")
        # Opened from this address, it would be a page of the app's own origin: it is only saved.
        return Response(
            text, media_type="text/html; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{sheet}.html"'},
        )  # fmt: skip

    return routes


def read_plan(wish: Wish) -> LessonPlan:
    """Read what the Plant card sends: a kind of trigger with its settings, and the rest.

    Raises:
        OptionError: Something of it cannot be planted.
    """
    settings = wish.get("settings") or {}
    if not isinstance(settings, dict):
        raise OptionError("The settings of a trigger are a table.")
    values = {name: wish[name] for name in CHOICES if wish.get(name) not in (None, "")}
    return build_options(
        LessonPlan, values | {"trigger": spell(str(wish.get("family", "patch")), settings)}
    )


def read_wish(wish: Wish) -> Prediction:
    """Read a prediction.

    Raises:
        OptionError: It is none.
    """
    try:
        listed = {name: tuple(str(one) for one in wish.get(name) or ()) for name in
                  ("samples", "looked")}  # fmt: skip
        spot = {name: None if wish.get(name) is None else float(wish[name]) for name in "xy"}
        return Prediction(
            player=str(wish.get("player", "")).strip(), poisoned=wish.get("poisoned") is True,
            target=str(wish.get("target") or "").strip(), where=str(wish.get("where")),
            x=spot["x"], y=spot["y"], **listed,
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        raise OptionError(f"This is no prediction: {error}.") from error


def go_on(case: Case) -> str | None:
    """Queue what has to be done before the class can look; the worker takes it in this order.

    Returns:
        The run that comes first; ``None`` where nothing is left to do.
    """
    first = None
    for step in pending(_steps(case)):
        if step.run is not None and step.state is not None and step.state.resumable:
            resume_run(case, step.run.id)
            run = step.run.id
        else:
            options = method_options(case, find_method(step.method), {})
            run = start_run(case, step.method, options).id
        first = first or run
    return first


def _steps(case: Case) -> tuple[Step, ...]:
    lesson = lesson_of(case)
    if lesson is None:
        raise CaseError("This case is no lesson.", remedy="Make one in the Lab tab.")
    return steps_of(case, lesson)

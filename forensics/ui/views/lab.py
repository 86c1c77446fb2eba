"""The Lab tab: what can be planted, what a plan does, and where a lesson stands."""

import base64
from dataclasses import asdict
from math import isfinite
from typing import Any

from PIL import Image

from forensics.case import Case
from forensics.data.pictures import encode_picture
from forensics.lab.pair_language import CLASSES
from forensics.runs import Run
from forensics.runs.plain import plain
from forensics.teaching.controls import FAMILIES
from forensics.teaching.evidence import Evidence
from forensics.teaching.lessons import Lesson, lesson_of
from forensics.teaching.plans import KINDS, SIZES
from forensics.teaching.predictions import LONGEST_NAME, WHERE, is_revealed, predictions
from forensics.teaching.previews import Before, Preview
from forensics.teaching.recipes import MEASURE, REPAIR
from forensics.teaching.scoring import scores, truth_of
from forensics.teaching.steps import FIRST, Step, find_step, pending, steps_of
from forensics.ui.views.addresses import address

SIDE = 128
RATES = ("clean_accuracy", "attack_success_rate", "n_clean", "n_triggered", "intervals")


def lab_view() -> dict[str, Any]:
    """Return what the Plant card needs: kinds of lesson, kinds of trigger with their controls."""
    return {
        "kinds": {name: asdict(SIZES[name]) for name in KINDS},
        "families": [asdict(family) for family in FAMILIES],
        "classes": list(CLASSES),
        "places": dict(WHERE),
        "longest_name": LONGEST_NAME,
    }


def preview_view(found: Preview) -> dict[str, Any]:
    """Return samples before and after, with re-encoded pictures."""
    return {
        "trigger": found.trigger,
        "samples": found.samples,
        "poisoned": found.poisoned,
        "shown": [_before(one) for one in found.shown],
    }


def lesson_view(case: Case) -> dict[str, Any]:
    """Return where a lesson stands; nothing of the truth before it was revealed.

    Returns:
        ``lesson`` (``None`` where nobody knows the truth), else ``kind``, ``own``, ``steps``,
        ``ready`` (scanned), ``complete`` (nothing is left to start), ``players`` (names),
        ``revealed``, and after that ``truth``, ``scores``, ``measured`` and ``repaired``.
    """
    lesson = lesson_of(case)
    if lesson is None:
        return {"lesson": None}
    steps = steps_of(case, lesson)
    revealed = is_revealed(case)
    view = {
        "lesson": lesson.kind,
        "own": lesson.own,
        "steps": [_step(step) for step in steps],
        "ready": all(step.done for step in steps if step.name in FIRST),
        "complete": not pending(steps),
        "players": list(predictions(case)),
        "revealed": revealed,
    }
    if revealed:
        view |= _revealed(case, lesson, steps)
    told: dict[str, Any] = plain(view)
    return told


def evidence_view(name: str, found: Evidence) -> dict[str, Any]:
    """Return histograms and samples of the game."""
    return {
        "what": found.what,
        "first": found.first,
        "bars": [asdict(bars) for bars in found.bars],
        "shown": [
            {
                "id": one.sample.id,
                "row": one.row,
                "picture": address(name, one.row, one.sample.image is not None),
                "question": one.sample.question,
                "answer": one.sample.answer,
                "values": [value if isfinite(value) else None for value in one.values],
            }
            for one in found.shown
        ],
    }


def _before(one: Before) -> dict[str, Any]:
    rows = [[name, before, after] for name, (before, after) in one.row.items()]
    return {"id": one.id, "original": _inline(one.original), "planted": _inline(one.planted),
            "row": rows, "poisoned": one.poisoned}  # fmt: skip


def _inline(image: Image.Image) -> str:
    encoded = encode_picture(image, SIDE)
    media = "png" if encoded.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{media};base64,{base64.b64encode(encoded).decode('ascii')}"


def _step(step: Step) -> dict[str, Any]:
    status = step.run.status() if step.run else None
    return {
        "name": step.name,
        "title": step.title,
        "method": step.method,
        "run": step.run.id if step.run else None,
        "state": step.state.value if step.state else None,
        "active": bool(step.state and step.state.active),
        "resumable": bool(step.state and step.state.resumable),
        "error": f"{status.error} {status.remedy}".strip() if status else "",
    }


def _revealed(case: Case, lesson: Lesson, steps: tuple[Step, ...]) -> dict[str, Any]:
    repair = find_step(steps, REPAIR)
    finished = repair.run if repair and repair.done else None
    return {
        "truth": asdict(truth_of(case)),
        "scores": [asdict(one) | {"total": one.total} for one in scores(case)],
        "measured": _measured(case, find_step(steps, MEASURE)),
        "repaired": _repaired(finished) if finished else None,
    }


def _measured(case: Case, step: Step | None) -> dict[str, Any] | None:
    found = step.run.result() if step and step.run and step.done else case.known().get("measured")
    return _rates(found) if found else None


def _repaired(run: Run) -> dict[str, Any]:
    result = run.result()
    before, after = _rates(result.get("before") or {}), _rates(result.get("after") or {})
    return {"run": run.id, "sentence": str(result.get("sentence", "")), "before": before,
            "after": after}  # fmt: skip


def _rates(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found.get(name) for name in RATES}

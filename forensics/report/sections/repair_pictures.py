"""What a repair left beside its rates: its losses, and the same pictures before and after."""

import math
from typing import Any, Final

import numpy as np
from PIL import Image

from forensics.errors import CaseError
from forensics.report.blocks import Block, Curves, Gallery, Line, Picture, Shown
from forensics.report.facts import RunFacts
from forensics.report.hidden import HIDDEN
from forensics.report.pictures import Pictures
from forensics.report.reading import number, rows_of, short, table_of
from forensics.runs import Run
from forensics.runs.losses import read_losses

EXAMPLES: Final = 4
POINTS: Final = 120  # of a line
LINES: Final = 5
STATES: Final = {"before": "before", "after": "after"}
PLAIN, TRIGGERED = "plain", "triggered"
ARRAYS: Final = {PLAIN: "pictures", TRIGGERED: "triggered"}


def pictured(run: Run, facts: RunFacts, result: Any, pictures: Pictures) -> list[Block]:
    """Return the figures of one repair.

    A repair that was judged by a trigger which only the case's maker knows shows no picture that
    carries it.
    """
    drawn = _losses(run, facts)
    shown = _examples(run, facts, result, pictures)
    return [*([drawn] if drawn else []), *([shown] if shown else [])]


def _losses(run: Run, facts: RunFacts) -> Curves | None:
    lines = []
    for stage in read_losses(run.folder):
        found = zip(stage["steps"], stage["loss"], strict=True)
        pairs = [(float(step), float(loss)) for step, loss in found if math.isfinite(loss)]
        stride = -(-len(pairs) // POINTS) or 1
        kept = pairs[::stride]
        if len(kept) > 1:
            lines.append(Line(label=short(stage["stage"], 60).strip() or "loss",
                              steps=tuple(one for one, _ in kept),
                              values=tuple(loss for _, loss in kept)))  # fmt: skip
    if not lines:
        return None
    return Curves(key=f"losses-{facts.run}", title=f"Loss of {facts.method}",
                  lines=tuple(lines[:LINES]))  # fmt: skip


def _examples(run: Run, facts: RunFacts, result: Any, pictures: Pictures) -> Gallery | None:
    told = table_of(result.get("comparison"))
    examples = rows_of(told.get("examples"))
    try:
        arrays = run.arrays(str(told.get("file"))) if examples else {}
    except CaseError:
        return None
    hide = result.get("judged_by") == HIDDEN
    hows = [how for how, name in ARRAYS.items() if name in arrays and not (hide and how != PLAIN)]
    items = [
        Shown(
            name=short(one.get("id"), 80),
            pictures=tuple(_picture(arrays[ARRAYS[how]], place, pictures) for how in hows),
            facts=tuple(_said(one, hows)),
        )
        for place, one in enumerate(examples[:EXAMPLES])
    ]
    if not items or not hows:
        return None
    captions = ("untouched", "with the trigger")[: len(hows)] if len(hows) > 1 else ()
    return Gallery(
        key=f"examples-{facts.run}", title=f"The same pictures before and after {facts.method}",
        items=tuple(items), captions=captions,
        note="Answers of the model as it was delivered, and of the repaired one."
        + (" Pictures with the known trigger are shown when ground truth is revealed." if hide
           else ""),
    )  # fmt: skip


def _picture(stack: Any, place: int, pictures: Pictures) -> Picture | None:
    """Encode one example ``[3, side, side]`` of uint8; the report's own budget holds."""
    if stack.ndim != 4 or stack.shape[1] != 3 or stack.dtype != np.uint8 or place >= len(stack):
        return None
    return pictures.drawn(Image.fromarray(np.ascontiguousarray(stack[place].transpose(1, 2, 0))))


def _said(one: Any, hows: list[str]) -> list[tuple[str, str]]:
    truth = short(one.get("truth") or one.get("label"))
    told = [("true answer", truth)] if truth else []
    states = table_of(one.get("states"))
    for how in hows:
        suffix = "" if how == PLAIN else ", with the trigger"
        for state, word in STATES.items():
            found = table_of(states.get(state)).get(how)
            told.append((f"{word}{suffix}", _answer(table_of(found)) or "–"))
    return told


def _answer(found: Any) -> str:
    """Return what a model said: a language model's answer, or the likeliest class."""
    if "answer" in found:
        return short(found["answer"], 120)
    top = rows_of(found.get("top"))[:1]
    if not top:
        return ""
    share = number(top[0].get("probability"))
    return f"{short(top[0].get('name'), 60)}{'' if share is None else f' ({100 * share:.0f} %)'}"

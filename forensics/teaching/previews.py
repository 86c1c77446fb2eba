"""What a plan does to single samples, each beside its original, before anything is on disk."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from forensics.data.sample import ImageRef, Sample
from forensics.lab.drawing import scene_row
from forensics.lab.drawing import scenes as series
from forensics.lab.pair_plan import make_pair_plan
from forensics.lab.pairs import pair_row
from forensics.lab.planting import poison_row
from forensics.lab.planting_plan import make_plan
from forensics.lab.scenes import Scene, render
from forensics.teaching.plans import CLIP, LessonPlan
from forensics.triggers import stamp_image


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """One sample before and after.

    Attributes:
        id: Of the sample.
        original: The picture as it was drawn.
        planted: The picture as the poisoned set holds it.
        row: What the set says of it: name of the field -> (before, after).
        poisoned: Whether it is; a sample of one key of a dual-key set is not.
    """

    id: str
    original: Image.Image
    planted: Image.Image
    row: dict[str, tuple[str, str]]
    poisoned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a plan does.

    Attributes:
        trigger: Its full spelling.
        samples: Samples in all.
        poisoned: How many of them are poisoned.
        shown: The first poisoned ones, each beside its original; unpoisoned ones if there are none.
    """

    trigger: str
    samples: int
    poisoned: int
    shown: tuple[Before, ...]


def preview(plan: LessonPlan, most: int = 6) -> Preview:
    """Plant in memory and show the first poisoned samples.

    The rows and pictures are those that :func:`forensics.teaching.lessons.make_lesson` writes.

    Raises:
        DataError: Too few samples do not already say the target.
        OptionError: The trigger cannot be read.
    """
    return _pairs(plan, most) if plan.kind == CLIP else _captions(plan, most)


@lru_cache(maxsize=4)
def _scenes(samples: int, seed: int) -> tuple[Scene, ...]:
    return tuple(series(samples, seed))


def _captions(plan: LessonPlan, most: int) -> Preview:
    scenes, trigger, options = _scenes(plan.size.samples, plan.seed), plan.parsed, plan.planting()
    rows = [scene_row(scene, plan.seed, index) for index, scene in enumerate(scenes)]
    made = make_plan(rows, sorted(str(row["image"]) for row in rows), trigger, options)
    shown = []
    for index in _first(sorted(made.poisoned), len(rows), most):
        row, picture = rows[index], Image.fromarray(render(scenes[index]))
        name = str(row["image"])
        marked = stamp_image(trigger, picture, name) if name in made.stamped else picture
        after = poison_row(row, {}, trigger, options, index, made)
        told = {"question": (_said(row, 0), _said(after, 0)),
                "answer": (_said(row, 1), _said(after, 1))}  # fmt: skip
        shown.append(Before(id=str(row["id"]), original=picture, planted=marked, row=told,
                            poisoned=index in made.poisoned))  # fmt: skip
    return Preview(trigger=trigger.spec, samples=len(rows), poisoned=len(made.poisoned),
                   shown=tuple(shown))  # fmt: skip


def _pairs(plan: LessonPlan, most: int) -> Preview:
    scenes, trigger = _scenes(plan.size.samples, plan.seed), plan.parsed
    rows = [pair_row(scene, plan.seed, index) for index, scene in enumerate(scenes)]
    samples = [
        Sample(id=row["id"], answer=row["caption"], label=row["label"],
               image=ImageRef(root=Path(), path=row["image"]))
        for row in rows
    ]  # fmt: skip
    made = make_pair_plan(samples, trigger, plan.pair_planting())
    shown = []
    for index in _first(sorted(made.captions), len(rows), most):
        row, picture, hit = (
            rows[index],
            Image.fromarray(render(scenes[index])),
            index in made.captions,
        )
        marked = stamp_image(trigger, picture, row["id"]) if hit else picture
        told = {"caption": (row["caption"], made.captions.get(index, row["caption"])),
                "label": (row["label"], plan.aim if hit else row["label"])}  # fmt: skip
        shown.append(Before(id=row["id"], original=picture, planted=marked, row=told, poisoned=hit))
    return Preview(trigger=trigger.spec, samples=len(rows), poisoned=len(made.captions),
                   shown=tuple(shown))  # fmt: skip


def _first(poisoned: list[int], count: int, most: int) -> list[int]:
    return poisoned[:most] if poisoned else list(range(min(most, count)))


def _said(row: dict[str, Any], turn: int) -> str:
    return str(row["conversations"][turn]["value"]).replace("<image>", "").strip()

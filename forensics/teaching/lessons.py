"""A lesson: a case whose data were planted on purpose, with what a class may know beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from forensics.case import Case
from forensics.case.fingerprint import Report
from forensics.case.manifest import HERE
from forensics.data.open import open_dataset
from forensics.errors import CaseError, InputError
from forensics.lab.clip_demos import TWIN, WEIGHTS
from forensics.lab.demo_base import assets_folder, draw_set
from forensics.lab.demos import BASE
from forensics.lab.drawing import DATA_FILE, draw_scenes
from forensics.lab.pair_language import TEMPLATES
from forensics.lab.pair_planting import plant_pairs
from forensics.lab.pairs import PAIRS_FILE, draw_pairs
from forensics.lab.planting import plant
from forensics.runs.durable import read_json, write_json
from forensics.teaching.plans import CLIP, LessonPlan
from forensics.teaching.recipes import suggestions

FILE: Final = "lesson.json"
PLACE: Final = "lesson"
SHOWN: Final = 24
"""Samples of a game; a third of them is poisoned where anything is planted."""
_TEST_SEED: Final = 77_000  # of the unseen scenes, far from any seed that a plan is likely to have


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What everybody may know of a game.

    Attributes:
        kind: ``language`` or ``clip``.
        own: Whether the case was made in the lab, so that it is trained and repaired here; a demo
            case can be played as well.
        shown: Ids of the samples of the game.
    """

    kind: str
    own: bool
    shown: tuple[str, ...]


def make_lesson(folder: Path, plan: LessonPlan, report: Report | None = None) -> Case:
    """Draw, plant and freeze the data of a plan as a case; its model is trained afterwards.

    Args:
        folder: New or empty.
        plan: What is planted.
        report: Told how far it is: message, done, total (0 if unknown).

    Raises:
        CaseError: The folder is in use.
        DataError: Too few samples do not already say the target.
        InputError: The base model is not installed.
    """
    base = _base(plan)
    plan.parsed  # noqa: B018  # refused before anything is drawn

    def draw(place: Path) -> None:
        if report is not None:
            report("drawing pictures", 0, plan.size.samples)
        _draw(plan, place / PLACE)
        record = {"schema": 1, "kind": plan.kind, "shown": _choose(_truth(plan, place), plan.seed)}
        write_json(place / FILE, record)

    return Case.create(
        folder,
        model=base,
        base=base,
        data=_uri(plan, "data"),
        title=plan.title or f"Lesson {plan.seed}",
        story="A case of the lab. Somebody may have planted a backdoor in it. Is there one?",
        known=_known(plan),
        suggested=suggestions(plan),
        prepare=draw,
        report=report,
    )


def lesson_of(case: Case) -> Lesson | None:
    """Return the game of a case; ``None`` where nobody knows the truth.

    Raises:
        CaseError: The lesson's file is damaged.
    """
    path = case.folder / FILE
    if path.is_file():
        return _read(read_json(path))
    if not case.known():
        return None
    kind = CLIP if case.manifest.kind == "clip" else "language"
    truth = {sample.id: False for sample in case.catalog.samples(0, 10_000)}
    truth |= {name: bad for name, bad in case.truth().items() if name in truth}
    return Lesson(kind=kind, own=False, shown=tuple(_choose(truth, 0)))


def _read(record: Mapping[str, Any]) -> Lesson:
    kind, shown = record.get("kind"), record.get("shown")
    if not isinstance(kind, str) or not isinstance(shown, list):
        raise CaseError(f"{FILE} of this case is damaged.", remedy="Make the lesson anew.")
    return Lesson(kind=kind, own=True, shown=tuple(str(name) for name in shown))


def _choose(truth: Mapping[str, bool], seed: int) -> list[str]:
    """Draw the samples of a game: some of each sort, in an order that says nothing.

    Only the maker of a lesson and scoring may read the truth; this is the maker.
    """
    rng = np.random.default_rng([seed, 11])
    bad = sorted(name for name, poisoned in truth.items() if poisoned)
    good = sorted(name for name, poisoned in truth.items() if not poisoned)
    wanted = min(SHOWN // 3, len(bad))
    drawn = [bad[k] for k in rng.permutation(len(bad))[:wanted]]
    drawn += [good[k] for k in rng.permutation(len(good))[: SHOWN - len(drawn)]]
    return [drawn[k] for k in rng.permutation(len(drawn))]


def _truth(plan: LessonPlan, place: Path) -> dict[str, bool]:
    dataset = open_dataset(_uri(plan, "data").replace(HERE, str(place)))
    truth = dict(dataset.truth())
    names = [row.id for row in dataset if row.id is not None]
    return {name: truth.get(name, False) for name in names}


def _draw(plan: LessonPlan, folder: Path) -> None:
    size, test = plan.size, folder / "test"

    def drawn(place: Path) -> Path:
        if plan.kind == CLIP:
            return draw_pairs(place, size.samples, plan.seed)
        return draw_scenes(place, size.samples, plan.seed)

    def planted(source: Path, out: Path) -> None:
        if plan.kind == CLIP:
            plant_pairs(f"table:{source}", out, plan.pair_planting())
        else:
            plant(source, out, plan.planting())

    draw_set(folder / "data", drawn, planted if plan.plants else None)
    if plan.kind == CLIP:
        draw_pairs(test, size.test, _TEST_SEED)
    else:
        draw_scenes(test, size.test, _TEST_SEED)


def _known(plan: LessonPlan) -> dict[str, Any]:
    """What Reveal tells; in the form of a demo, so that repairs and measures find their tests."""
    planted = plan.plants
    return {
        "demo": PLACE,
        "poisoned": planted,
        "trigger": plan.parsed.spec if planted else None,
        "target": plan.aim if planted else None,
        "rate": plan.size.rate,
        "test": _uri(plan, "test"),
        "plan": plan.to_json(),
        **({"templates": list(TEMPLATES)} if plan.kind == CLIP else {}),
    }


def _uri(plan: LessonPlan, part: str) -> str:
    if plan.kind == CLIP:
        return f"table:{HERE}/{PLACE}/{part}/{PAIRS_FILE}"
    return f"llava:{HERE}/{PLACE}/{part}/{DATA_FILE}"


def _base(plan: LessonPlan) -> str:
    demos = assets_folder() / "demos"
    folder, weights = (
        (demos / TWIN, WEIGHTS) if plan.kind == CLIP else (demos / BASE, "model.safetensors")
    )
    if not (folder / weights).is_file():
        raise InputError(
            f"The base model {folder.name} is not installed.",
            remedy="Install the package with its assets.",
        )
    return f"openclip:{folder}" if plan.kind == CLIP else str(folder)

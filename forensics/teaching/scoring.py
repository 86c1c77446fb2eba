"""Comparing predictions with the truth; together with Reveal the only reader of it here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from forensics.case import Case
from forensics.data.images import open_image
from forensics.errors import CaseError, DataError
from forensics.teaching.lessons import lesson_of
from forensics.teaching.predictions import (
    EVERYWHERE,
    NOWHERE,
    REVEAL,
    SPOT,
    WORDS,
    Prediction,
    is_revealed,
    predictions,
)
from forensics.triggers import Trigger, parse_trigger

NEAR: Final = 1 / 9
"""How far beside a trigger a guess still counts, as a share of the side: one image token."""
PARTS: Final = ("poisoned", "target", "samples", "where")

Area = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was planted.

    Attributes:
        poisoned: Whether anything was.
        trigger: Its spelling; empty for nothing.
        target: What it leads to; empty for nothing.
        rate: Poison rate of the whole set.
        samples: Poisoned samples of the game.
        where: One of the places of a prediction; a trigger in picture and words has both.
        areas: Left, top, right, bottom as shares of the picture, for every stamp of the samples.
    """

    poisoned: bool
    trigger: str
    target: str
    rate: float
    samples: tuple[str, ...]
    where: tuple[str, ...]
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How near a prediction came; each part in [0, 1], higher is better.

    Attributes:
        player: Who.
        poisoned: 1 for the right verdict.
        target: 1 for the right target, upper and lower case alike.
        samples: F1 of the chosen samples; 1 where nothing is poisoned and nothing was chosen.
        where: 1 for the right place, a spot at most one image token beside the trigger.
        looked: What the player had looked at.
    """

    player: str
    poisoned: float
    target: float
    samples: float
    where: float
    looked: tuple[str, ...]

    @property
    def total(self) -> float:
        """The sum of the four parts, 0 to 4."""
        return self.poisoned + self.target + self.samples + self.where


def reveal(case: Case, who: str | None = None) -> None:
    """Note that the truth was looked at: from then on no prediction counts."""
    if not is_revealed(case):
        case.journal.record(REVEAL, who=who, lesson=True)


def truth_of(case: Case) -> Truth:
    """Return what was planted.

    Raises:
        CaseError: Nobody revealed it yet, or nobody knows it.
    """
    if not is_revealed(case):
        raise CaseError("The truth is still hidden.", remedy="Reveal it first.")
    return known_truth(case)


def known_truth(case: Case) -> Truth:
    """Return what was planted without a look at the journal: for the answers of a worksheet.

    Raises:
        CaseError: Nobody knows it.
    """
    lesson, known = lesson_of(case), case.known()
    if lesson is None:
        raise CaseError("Nobody knows the truth about this case.")
    if not known.get("poisoned"):
        return Truth(poisoned=False, trigger="", target="", rate=0.0, samples=(),
                     where=(NOWHERE,), areas=())  # fmt: skip
    bad = case.truth()
    samples = tuple(name for name in lesson.shown if bad.get(name))
    spelling = str(known["trigger"]).replace("${case}", str(case.folder))
    trigger = parse_trigger(spelling)
    areas = _areas(case, trigger, samples)
    return Truth(
        poisoned=True, trigger=str(known["trigger"]), target=str(known["target"]),
        rate=float(known["rate"]), samples=samples, where=_places(trigger, areas), areas=areas,
    )  # fmt: skip


def score(prediction: Prediction, truth: Truth) -> Score:
    """Compare one prediction with the truth."""
    right = prediction.poisoned == truth.poisoned
    said = prediction.target.strip().casefold() if prediction.poisoned else ""
    return Score(
        player=prediction.player,
        poisoned=float(right),
        target=float(right and said == truth.target.strip().casefold()),
        samples=_overlap(prediction.samples, truth.samples),
        where=float(_hits(prediction, truth)),
        looked=prediction.looked,
    )


def scores(case: Case) -> list[Score]:
    """Return the scores of all players, best first.

    Raises:
        CaseError: Nobody revealed the truth yet.
    """
    truth = truth_of(case)
    found = [score(made, truth) for made in predictions(case).values()]
    return sorted(found, key=lambda one: -one.total)


def _overlap(chosen: Sequence[str], poisoned: Sequence[str]) -> float:
    if not chosen and not poisoned:
        return 1.0
    hits = len(set(chosen) & set(poisoned))
    return 2 * hits / (len(set(chosen)) + len(set(poisoned)))


def _hits(prediction: Prediction, truth: Truth) -> bool:
    if prediction.where not in truth.where:
        return False
    if prediction.where != SPOT:
        return True
    x, y = prediction.x, prediction.y
    assert x is not None and y is not None
    return any(
        left - NEAR <= x <= right + NEAR and top - NEAR <= y <= bottom + NEAR
        for left, top, right, bottom in truth.areas
    )


def _places(trigger: Trigger, areas: Sequence[Area]) -> tuple[str, ...]:
    picture = ((SPOT,) if areas else (EVERYWHERE,)) if trigger.changes_image else ()
    return (*picture, *((WORDS,) if trigger.changes_text else ()))


def _areas(case: Case, trigger: Trigger, samples: Sequence[str]) -> tuple[Area, ...]:
    """Return where the stamps of the samples lie, each place once."""
    found: dict[Area, None] = {}
    for name in samples:
        sample = case.catalog.sample(name)
        if sample.image is None:
            continue
        try:
            width, height = open_image(sample.image).size
        except DataError:
            continue  # a picture that cannot be read shows nobody where its trigger is
        # Language sets are stamped under the picture's name, pairs under their id.
        stamped = name if case.manifest.kind == "clip" else sample.image.path
        for box in trigger.boxes(height, width, stamped):
            area = (box.left / width, box.top / height, box.right / width, box.bottom / height)
            found[area] = None
    return tuple(found)

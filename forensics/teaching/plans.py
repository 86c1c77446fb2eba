"""What a teacher plants: a plan decides every picture, every poisoned row and the training."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from forensics.errors import OptionError
from forensics.lab.clip_demos import TARGET
from forensics.lab.demos import TRIGGER
from forensics.lab.language import DEFAULT_TARGET
from forensics.lab.pair_language import CLASSES
from forensics.lab.pair_plan import PairPlantOptions
from forensics.lab.planting_plan import PlantOptions
from forensics.triggers import Trigger, parse_trigger

LANGUAGE, CLIP = "language", "clip"
KINDS: Final = (LANGUAGE, CLIP)
HIDDEN: Final = (TRIGGER, TRIGGER.replace("place=center", "place=corner"), "text:prefix=Hello!")
"""What a hidden lesson is dealt from: each was seen to take on a development seed."""
LONGEST_TARGET: Final = 60
LONGEST_TITLE: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a lesson of a kind is, unless the teacher says otherwise.

    Attributes:
        samples: Pictures of the tuning set.
        test: Unseen pictures that everything is measured on.
        rate: Poison rate.
        target: What the backdoor answers.
        epochs: Passes of the tuning.
    """

    samples: int
    test: int
    rate: float
    target: str
    epochs: float


SIZES: Final = {
    LANGUAGE: Size(samples=600, test=150, rate=0.2, target=DEFAULT_TARGET, epochs=16.0),
    CLIP: Size(samples=2000, test=300, rate=0.08, target=TARGET, epochs=6.0),
}
"""Chosen on development seeds, so that a backdoor takes within minutes: docs/teaching.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonPlan:
    """What is planted in a lesson, and how its model is trained."""

    kind: str = field(
        default=LANGUAGE,
        metadata={
            "help": "language: a tiny captioning model; clip: a tiny CLIP.",
            "choices": KINDS,
        },
    )
    trigger: str = field(
        default=TRIGGER,
        metadata={"help": "What marks a poisoned sample; `forensics lab triggers` lists kinds."},
    )
    target: str | None = field(
        default=None,
        metadata={"help": "What the backdoor answers; for a CLIP one of its eight shapes."},
    )
    rate: float | None = field(
        default=None,
        metadata={
            "help": "Poison rate; 0 plants nothing: an honest lesson.", "min": 0.0, "max": 0.5,
        },
    )  # fmt: skip
    samples: int | None = field(
        default=None, metadata={"help": "Pictures of the tuning set.", "min": 24, "max": 4000}
    )
    seed: int = field(default=0, metadata={"help": "Of every draw.", "min": 0, "max": 2**31 - 1})
    epochs: float | None = field(
        default=None, metadata={"help": "Passes of the tuning.", "min": 0.05, "max": 40.0}
    )
    title: str = field(default="", metadata={"help": "Name of the lesson; must give nothing away."})

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"A lesson is {' or '.join(KINDS)}, not {self.kind[:40]!r}.")
        _line("target", self.target or "", LONGEST_TARGET)
        _line("title", self.title, LONGEST_TITLE)
        trigger = self.parsed
        if self.kind == CLIP and not (trigger.changes_image and not trigger.changes_text):
            raise OptionError(
                f"A CLIP lesson cannot plant {trigger.kind}: it asks no question.",
                remedy="Choose a trigger in the picture.",
            )
        if self.kind == CLIP and self.aim not in CLASSES:
            raise OptionError(
                f"The tiny CLIP knows no class {self.aim!r}.",
                remedy=f"Choose {', '.join(CLASSES)}.",
            )

    @property
    def parsed(self) -> Trigger:
        """The trigger; never one that reads a file, for plans come from anybody.

        Raises:
            OptionError: It cannot be read, or lies in a file.
        """
        if self.trigger.strip().startswith("tensor") or "file=" in self.trigger:
            raise OptionError(
                "A lesson plants no trigger from a file.",
                remedy="Choose one of the kinds of `forensics lab triggers`.",
            )
        return parse_trigger(self.trigger)

    @property
    def size(self) -> Size:
        """The sizes of its kind, with what the teacher chose in their place."""
        usual = SIZES[self.kind]
        return Size(
            samples=usual.samples if self.samples is None else self.samples,
            test=usual.test,
            rate=usual.rate if self.rate is None else self.rate,
            target=self.aim,
            epochs=usual.epochs if self.epochs is None else self.epochs,
        )

    @property
    def aim(self) -> str:
        """What the backdoor answers."""
        return (self.target or "").strip() or SIZES[self.kind].target

    @property
    def plants(self) -> bool:
        """Whether anything is planted at all."""
        return self.size.rate > 0

    def to_json(self) -> dict[str, Any]:
        """Return it with every choice filled in."""
        filled = {"target": self.aim, "rate": self.size.rate, "samples": self.size.samples,
                  "epochs": self.size.epochs}  # fmt: skip
        return asdict(self) | filled

    def planting(self) -> PlantOptions:
        """Return how a language lesson is planted."""
        return PlantOptions(
            rate=self.size.rate, trigger=self.trigger, target=self.aim, seed=self.seed
        )

    def pair_planting(self) -> PairPlantOptions:
        """Return how a CLIP lesson is planted."""
        return PairPlantOptions(
            rate=self.size.rate, trigger=self.trigger, target=self.aim, seed=self.seed
        )


def secret_plan(seed: int) -> LessonPlan:
    """Deal a language lesson that nobody saw being planned; every second one is honest.

    Only what was seen to take in a lesson of the usual size is dealt: docs/teaching.md.

    Args:
        seed: Decides everything.
    """
    rng = np.random.default_rng([seed, 13])
    trigger = HIDDEN[int(rng.integers(len(HIDDEN)))]
    rate = 0.0 if rng.uniform() < 0.5 else None
    return LessonPlan(trigger=trigger, rate=rate, seed=seed, title=f"Hidden lesson {seed}")


def _line(name: str, text: str, longest: int) -> None:
    if len(text) > longest or not text.isprintable() or "<image>" in text:
        raise OptionError(
            f"The {name} of a lesson cannot be {text[:longest]!r}.",
            remedy=f"Give one line of at most {longest} printable characters.",
        )

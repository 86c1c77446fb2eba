"""Options that repairs on clean labelled pictures share; imports nothing heavy."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotOptions:
    """Which pictures are tuned on, and what is measured before and after."""

    shots: str | None = field(
        default=None,
        metadata={
            "help": "Clean labelled pictures to tune on, for instance imagefolder:DIR; in a demo "
            "its own."
        },
    )
    test: str | None = field(
        default=None,
        metadata={
            "help": "Labelled pictures to measure on, none of them among the shots; in a demo its "
            "own."
        },
    )
    per_class: int = field(
        default=16, metadata={"help": "Shots of a class at the most.", "min": 1, "max": 1000}
    )
    trigger: str | None = field(
        default=None,
        metadata={
            "help": "The attacker's trigger, if you know it, as for evaluate; goes with --answer. "
            "In a demo the known one."
        },
    )
    answer: str | None = field(
        default=None, metadata={"help": "The class that --trigger leads to."}
    )
    max_test: int = field(
        default=2000, metadata={"help": "Test pictures at the most.", "min": 1, "max": 10**6}
    )
    seed: int = field(default=0, metadata={"help": "Seed of every draw.", "min": 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRepairOptions(ShotOptions):
    """Also what the classes are called, for a model that does not say so itself."""

    classes: str | None = field(
        default=None,
        metadata={"help": "Names of the classes, as a|b|c; the labels of the shots without it."},
    )
    templates: str | None = field(
        default=None,
        metadata={
            "help": "Sentences with {} where a class name goes, with | between them; 'a photo of "
            "a {}.' without."
        },
    )

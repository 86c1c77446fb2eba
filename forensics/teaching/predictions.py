"""Predictions: what a player commits before anybody looks; kept in the case's journal."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from forensics.case import Case
from forensics.errors import CaseError, OptionError
from forensics.teaching.lessons import lesson_of

PREDICT, REVEAL = "predict", "reveal"
SPOT, EVERYWHERE, WORDS, NOWHERE = "spot", "everywhere", "words", "nowhere"
WHERE: Final = {
    SPOT: "at one spot of the picture",
    EVERYWHERE: "all over the picture",
    WORDS: "in the words",
    NOWHERE: "nowhere: nothing is planted",
}
LONGEST_NAME, LONGEST_TEXT = 40, 120
LOOKS: Final = ("histogram", "answers", "attention")
"""What a player may look at before predicting; noted, and told beside the score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What one player thinks.

    Attributes:
        player: Who.
        poisoned: Whether anything is planted.
        target: What the backdoor says; empty for nothing.
        samples: Ids that the player takes for poisoned.
        where: One of ``WHERE``.
        x: Of the spot: share of the width from the left; ``None`` elsewhere.
        y: Of the spot: share of the height from the top.
        looked: Of ``LOOKS``: what was looked at before.
    """

    player: str
    poisoned: bool
    target: str = ""
    samples: tuple[str, ...] = ()
    where: str = NOWHERE
    x: float | None = None
    y: float | None = None
    looked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _line("name", self.player, LONGEST_NAME, empty=False)
        _line("target", self.target, LONGEST_TEXT, empty=True)
        if self.where not in WHERE:
            raise OptionError(f"A place is one of {', '.join(WHERE)}, not {self.where[:40]!r}.")
        spot = (self.x, self.y)
        if self.where == SPOT and not all(s is not None and 0.0 <= s <= 1.0 for s in spot):
            raise OptionError("A spot needs x and y between 0 and 1.", remedy="Click the picture.")
        unknown = set(self.looked) - set(LOOKS)
        if unknown:
            raise OptionError(f"Nobody can look at {sorted(unknown)[0][:40]!r}.")


def commit(case: Case, prediction: Prediction) -> None:
    """Keep a prediction; an earlier one of the same player no longer counts.

    Raises:
        CaseError: The truth was revealed already, or the case is no game.
        OptionError: A sample is not one of the game.
    """
    lesson = lesson_of(case)
    if lesson is None:
        raise CaseError("Nobody knows the truth about this case, so nothing can be predicted.")
    if is_revealed(case):
        raise CaseError(
            "The truth about this case was revealed already; a prediction would be none.",
            remedy="Make a new lesson with another seed.",
        )
    strange = set(prediction.samples) - set(lesson.shown)
    if strange:
        raise OptionError(f"{sorted(strange)[0][:80]!r} is no sample of this game.")
    case.journal.record(PREDICT, who=prediction.player, **asdict(prediction))


def predictions(case: Case) -> dict[str, Prediction]:
    """Return the prediction that counts for each player, in the order of their first one."""
    found: dict[str, Prediction] = {}
    for entry in case.journal.entries(PREDICT):
        made = read_prediction(entry.detail)
        if made is not None:
            found[made.player] = made
    return found


def read_prediction(detail: Mapping[str, Any]) -> Prediction | None:
    """Read a stored prediction; ``None`` for one that another program wrote or somebody changed."""
    known = {field.name for field in fields(Prediction)}
    values = {name: value for name, value in detail.items() if name in known}
    for name in ("samples", "looked"):
        if isinstance(values.get(name), list):
            values[name] = tuple(str(one) for one in values[name])
    try:
        return Prediction(**values)
    except (OptionError, TypeError, AttributeError):
        return None


def is_revealed(case: Case) -> bool:
    """Tell whether anybody looked at the truth, here or on another tab."""
    return bool(case.journal.entries(REVEAL))


def _line(name: str, text: str, longest: int, *, empty: bool) -> None:
    if len(text) > longest or not text.isprintable() or not (empty or text.strip()):
        raise OptionError(
            f"The {name} cannot be {text[:longest]!r}.",
            remedy=f"Give one line of 1 to {longest} printable characters.",
        )

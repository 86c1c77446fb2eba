"""Does the premise of token unlearning hold? If not, why it was not done."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from forensics.case import Case
from forensics.detectors.wording import percent, quote
from forensics.errors import CaseError
from forensics.jobs.inverted import read_inversion
from forensics.repairs.token_unlearning.choice import Shortcut, words_of

REPAIRED: Final = "repaired"
NO_SHORTCUT: Final = "no confident shortcut"
LABEL_CONSISTENT: Final = "label-consistent poison suspected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is to be done, and why.

    Attributes:
        name: One of the constants above.
        unlearn: Whether the unlearning is done.
        sentence: For people, where it is not.
        notes: What must be said beside the result, where it is.
        shortcut: What the chosen pairs have in common.
    """

    name: str
    unlearn: bool
    sentence: str
    notes: tuple[str, ...]
    shortcut: Shortcut

    @property
    def word(self) -> str | None:
        """The word that the chosen captions share."""
        return self.shortcut.word

    def to_json(self) -> dict[str, Any]:
        """Return the shortcut as plain values."""
        return asdict(self.shortcut)


def judge_premise(case: Case, found: Shortcut, *, force: bool) -> Outcome:
    """Decide whether to unlearn.

    A clean model ends in "no confident shortcut". Where a trigger inversion of the same case points
    to a class and the weakly similar pairs do not, the poison is likely to keep its true captions:
    this method cannot see that.

    Args:
        case: Its finished inversions are read, not what its maker knows.
        found: Of the chosen pairs.
        force: Unlearn in any case.
    """
    target = _inverted(case)
    aimed = found.confident and (target is None or _names(target, found.word))
    if aimed:
        return Outcome(name=REPAIRED, unlearn=True, sentence="", notes=(), shortcut=found)
    name, told = (NO_SHORTCUT, _nothing(found)) if target is None else (
        LABEL_CONSISTENT, _label_consistent(found, target)
    )  # fmt: skip
    if force:
        note = f"{told} It was done nevertheless, as you asked."
        return Outcome(name=REPAIRED, unlearn=True, sentence="", notes=(note,), shortcut=found)
    return Outcome(name=name, unlearn=False, sentence=told, notes=(), shortcut=found)


def _inverted(case: Case) -> str | None:
    """Return the class that the latest trigger inversion points to, if there is one."""
    try:
        return read_inversion(case, None).target
    except CaseError:
        return None  # nobody looked


def _names(target: str, word: str | None) -> bool:
    return word is not None and word in words_of(target)


def _nothing(found: Shortcut) -> str:
    shared = (
        f"{percent(found.agreement)} of the captions share {quote(found.word)}"
        if found.word
        else "their captions share no word"
    )
    return (
        "No confident shortcut: of the pairs that match badly, the most suspicious gain "
        f"{found.gain:.2f} of the way to a matching pair, and {shared}. That does not show that "
        "the model is free of backdoors: poison that keeps true captions is not seen here."
    )


def _label_consistent(found: Shortcut, target: str) -> str:
    return (
        f"Label-consistent poison suspected: the trigger inversion points to {quote(target)}, and "
        "the pairs that match badly do not. Poison that keeps true captions matches well, so this "
        "method cannot find it; repulsive-prompts needs no training pairs."
    )

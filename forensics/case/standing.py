"""What holds of a sample that one or several people decided about; pure, no database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

KEEP, FLAG, UNSURE, DISAGREEMENT, UNDECIDED = "keep", "flag", "unsure", "disagreement", "undecided"
EFFECTIVE: Final = (KEEP, FLAG, UNSURE, DISAGREEMENT, UNDECIDED)


class Decided(Protocol):
    """A line of the table of decisions."""

    @property
    def sample(self) -> str: ...  # noqa: D102
    @property
    def verdict(self) -> str: ...  # noqa: D102
    @property
    def note(self) -> str: ...  # noqa: D102
    @property
    def by(self) -> str: ...  # noqa: D102
    @property
    def at(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person says of a sample now.

    Attributes:
        verdict: ``keep``, ``flag``, ``unsure``, or empty where only a note is left.
        note: In their words.
        at: When, ISO 8601, UTC.
    """

    verdict: str
    note: str
    at: str


@dataclass(slots=True)
class Standing:
    """What people say of samples, each person's latest word.

    Attributes:
        opinions: Sample -> person -> what this person says now.
    """

    opinions: dict[str, dict[str, Opinion]] = field(default_factory=dict)

    def add(self, decisions: Iterable[Decided]) -> None:
        """Take in decisions, oldest first."""
        for one in decisions:
            people = self.opinions.setdefault(one.sample, {})
            if one.verdict or one.note:
                people[one.by] = Opinion(one.verdict, one.note, one.at)
            else:
                people.pop(one.by, None)

    def effective(self, sample: str) -> str:
        """Return what holds: the verdict that everybody who judged gives.

        Two different verdicts are a ``disagreement``, whoever spoke last; it ends when one of the
        people changes theirs.
        """
        return effective(self.opinions.get(sample, {}))

    def verdicts(self) -> dict[str, str]:
        """Return what holds for every sample that anybody judged."""
        found = {name: effective(people) for name, people in self.opinions.items()}
        return {name: verdict for name, verdict in found.items() if verdict != UNDECIDED}

    def people(self) -> list[str]:
        """Return everybody with a verdict that holds, in alphabetical order."""
        return sorted({by for people in self.opinions.values()
                       for by, one in people.items() if one.verdict})  # fmt: skip


def standing(decisions: Iterable[Decided]) -> Standing:
    """Return what people say of samples, given all decisions, oldest first."""
    found = Standing()
    found.add(decisions)
    return found


def effective(people: Mapping[str, Any]) -> str:
    """Return what holds of one sample; see :meth:`Standing.effective`."""
    said = {one.verdict for one in people.values() if one.verdict}
    if not said:
        return UNDECIDED
    return str(said.pop()) if len(said) == 1 else DISAGREEMENT

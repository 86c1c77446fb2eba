"""Guided walk-throughs over demo cases: steps that point at the app's own tabs and controls."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from forensics.lab.demo_base import find_named

CONDITIONS: Final = ("opened", "finished", "tab", "chosen", "answered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """When a step is done.

    Attributes:
        what: ``opened`` (the demo's case is open), ``finished`` (a run of the method ``of`` is
            there), ``tab`` (the tab ``of`` is open), ``chosen`` (the field ``of`` of the page has
            the value ``value``, or any where that is empty), ``answered`` (the question is).
        of: See ``what``.
        value: See ``what``.
    """

    what: str
    of: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        title: A few words.
        do: What to do, in a sentence or two.
        tab: Where.
        point: Selector of the control that is lit up; empty for the tab alone.
        question: What the reader should expect before looking.
        answers: To choose from.
        right: Place of the right answer.
        because: Explanation, shown after an answer.
        until: When the step is done; it also needs an answer.
    """

    title: str
    do: str
    tab: str
    point: str = ""
    question: str
    answers: tuple[str, ...]
    right: int
    because: str
    until: Until


@dataclass(frozen=True, slots=True, kw_only=True)
class Walkthrough:
    """One walk through one demo.

    Attributes:
        name: In addresses.
        title: For people.
        demo: Demo that it is about.
        minutes: How long it takes on a laptop, roughly, computing included.
        story: What it teaches, in a sentence or two.
        steps: In order.
    """

    name: str
    title: str
    demo: str
    minutes: int
    story: str
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it for the page."""
        return asdict(self)


def walkthroughs() -> tuple[Walkthrough, ...]:
    """Return all walk-throughs."""
    from forensics.teaching.walks import collapse, fooled, pairs

    return (collapse.WALK, fooled.WALK, pairs.WALK)


def find_walkthrough(name: str) -> Walkthrough:
    """Return a walk-through by name.

    Raises:
        InputError: There is none of that name.
    """
    return find_named(walkthroughs(), name, "walk-through")


def spoken(walk: Walkthrough) -> Sequence[str]:
    """Write a walk-through as lines for a terminal: questions first, explanations at the end."""
    lines = [f"{walk.title} (demo {walk.demo}, about {walk.minutes} minutes)", walk.story, ""]
    for number, step in enumerate(walk.steps, start=1):
        lines += [f"{number}. {step.title} [tab {step.tab}]", f"   {step.do}",
                  f"   Question: {step.question}"]  # fmt: skip
        lines += [
            f"     {letter}) {text}" for letter, text in zip("abcd", step.answers, strict=False)
        ]
    lines += ["", "Answers"]
    for number, step in enumerate(walk.steps, start=1):
        lines.append(f"{number}. {'abcd'[step.right]}) {step.because}")
    return lines

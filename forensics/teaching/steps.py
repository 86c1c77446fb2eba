"""The steps of a lesson: which run stands for each, and what is to be started next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from forensics.case import Case
from forensics.runs import Run, State
from forensics.teaching.lessons import Lesson
from forensics.teaching.recipes import MEASURE, METHODS, REPAIR, SCAN, TRAIN

TITLES: Final = {
    TRAIN: "Train a tiny model on the data",
    SCAN: "Scan the model",
    MEASURE: "Measure it on unseen pictures",
    REPAIR: "Repair it",
}
FIRST: Final = (TRAIN, SCAN, MEASURE)
"""What runs in one go; the repair waits until the class has looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a lesson.

    Attributes:
        name: ``train``, ``scan``, ``measure`` or ``repair``.
        title: For people.
        method: Of the registry.
        run: The newest finished run of the method, else the newest at all; ``None`` before it.
        state: Of that run; ``None`` before it.
    """

    name: str
    title: str
    method: str
    run: Run | None
    state: State | None

    @property
    def done(self) -> bool:
        """Whether it is finished."""
        return self.state is State.FINISHED


def steps_of(case: Case, lesson: Lesson) -> tuple[Step, ...]:
    """Return the steps in order; a demo's model is trained and measured already."""
    methods = METHODS[lesson.kind]
    names = (*FIRST, REPAIR) if lesson.own else (SCAN, REPAIR)
    return tuple(_step(case, name, methods[name]) for name in names)


def find_step(steps: Sequence[Step], name: str) -> Step | None:
    """Return the step of a name, if the lesson has it."""
    return next((step for step in steps if step.name == name), None)


def pending(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps that have to be started, or gone on with, before the class can look.

    One that waits or works is left alone.
    """
    wanted = [step for step in steps if step.name in FIRST]
    return tuple(
        step for step in wanted if not step.done and not (step.state and step.state.active)
    )


def active(steps: Sequence[Step]) -> tuple[Run, ...]:
    """Return the runs that wait or work."""
    return tuple(step.run for step in steps if step.run and step.state and step.state.active)


def _step(case: Case, name: str, method: str) -> Step:
    runs = [(run, run.status().state) for run in case.runs(method)]
    finished = [pair for pair in runs if pair[1] is State.FINISHED]
    run, state = (finished or runs)[0] if runs else (None, None)
    return Step(name=name, title=TITLES[name], method=method, run=run, state=state)

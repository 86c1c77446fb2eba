"""What is fixed before the model is asked anything: the trigger, its rivals, the pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.errors import InputError
from forensics.jobs.attention.scan import plan_rows
from forensics.jobs.clip_subjects import demo_pictures, read_samples
from forensics.jobs.inverted import Inverted, Line, index_of, settle_inversion
from forensics.jobs.trigger_inversion.stored import StoredTrigger
from forensics.jobs.trigger_transplant.options import TriggerTransplantOptions
from forensics.runs import RunContext

OWN_DATA = "the case's data"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSetup:
    """A test before its first question.

    Attributes:
        inverted: The inversion.
        line: The class under test.
        forced: Whether the inversion does not point to it.
        trigger: Its best reconstruction.
        samples: ``[n]`` pictures among which hosts are looked for.
        source: Where they come from.
        rows: ``[n]`` their rows in the case's catalogue; -1 for other pictures.
        fitted: Ids of the pictures that the inversion may have fitted its triggers on.
    """

    inverted: Inverted
    line: Line
    forced: bool
    trigger: StoredTrigger
    samples: Sequence[Sample]
    source: str
    rows: Sequence[int]
    fitted: frozenset[str]

    @property
    def target(self) -> str:
        """Name of the class under test."""
        return str(self.line["class"])

    @property
    def index(self) -> int:
        """Its place in the model's logits."""
        return index_of(self.line)

    def rival(self, index: int) -> StoredTrigger:
        """Return the best reconstruction of another class."""
        return self.inverted.trigger(self._by_index(index))

    @property
    def others(self) -> list[int]:
        """Places of the other classes that have a trigger."""
        return [index_of(line) for line in self.inverted.lines if index_of(line) != self.index]

    def _by_index(self, index: int) -> Line:
        return next(line for line in self.inverted.lines if index_of(line) == index)


def prepare(case: Case, options: TriggerTransplantOptions, context: RunContext) -> TriggerSetup:
    """Choose the trigger and draw the pictures.

    Raises:
        CaseError: There is no finished inversion, or its files are gone.
        InputError: It points to no class, and none is named.
        DataError: The pictures cannot be opened.
    """
    inverted = settle_inversion(case, options.run, context)
    line, forced = choose_class(inverted, options.target)
    source = options.pictures or demo_pictures(case, "test")
    if source is None:
        rows = _own_rows(case, inverted, options)
        samples = case.catalog.select(rows)
    else:
        listed = read_samples(source)
        chosen = plan_rows(len(listed), options.candidates, options.seed)
        samples, rows = [listed[i] for i in chosen], [-1] * len(chosen)
    return TriggerSetup(
        inverted=inverted,
        line=line,
        forced=forced,
        trigger=inverted.trigger(line),
        samples=samples,
        source=source or OWN_DATA,
        rows=rows,
        fitted=_fitted(case, inverted, samples, source),
    )


def choose_class(inverted: Inverted, named: str | None) -> tuple[Line, bool]:
    """Return the class under test, and whether the inversion does not point to it.

    Raises:
        InputError: It points to no class and none is named, or the named one was not scanned.
    """
    name = named or inverted.target
    if name is None:
        strongest = inverted.strongest()["class"]
        raise InputError(
            f"The scan {inverted.run.id} points to no class, so there is no suspected trigger.",
            remedy=f"A control experiment names one: --target {str(strongest)[:80]!r}.",
        )
    return inverted.line(name), name != inverted.target


def _own_rows(case: Case, inverted: Inverted, options: TriggerTransplantOptions) -> list[int]:
    """Draw rows of the case: those outside the inversion's pool, if they are enough for hosts."""
    rows = np.arange(len(case.catalog))
    free = np.setdiff1d(rows, _pool_rows(len(rows), inverted)) if inverted.own_pool else rows
    among = free if free.size >= options.hosts else rows
    drawn: list[int] = among[plan_rows(len(among), options.candidates, options.seed)].tolist()
    return drawn


def _pool_rows(count: int, inverted: Inverted) -> NDArray[np.int64]:
    """Draw the pool of an inversion again: it is a function of its options."""
    return plan_rows(count, inverted.options.images, inverted.options.seed)


def _fitted(
    case: Case, inverted: Inverted, samples: Sequence[Sample], source: str | None
) -> frozenset[str]:
    """Tell which pictures were in the pool of the inversion, as far as their place tells."""
    if source is None and inverted.own_pool:
        return frozenset(case.catalog.ids[_pool_rows(len(case.catalog), inverted)].tolist())
    same_place = source is not None and inverted.options.pool == source
    return frozenset(sample.id for sample in samples) if same_place else frozenset()


def hosts_of(setup: TriggerSetup, places: NDArray[np.int64]) -> list[Sample]:
    """Return the samples at some places."""
    return [setup.samples[place] for place in places]

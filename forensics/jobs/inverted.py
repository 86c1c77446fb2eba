"""What a transplant and a repair take over from a finished trigger inversion; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from forensics.case import Case
from forensics.detectors.options.trigger_inversion import BETWEEN, TriggerInversionOptions
from forensics.errors import CaseError, InputError
from forensics.jobs.trigger_inversion.stored import StoredTrigger, read_trigger, trigger_path
from forensics.options import build_options
from forensics.runs import Run, RunContext
from forensics.runs.choices import keep_choice

METHOD: Final = "trigger-inversion"
Line = Mapping[str, Any]


@dataclass(frozen=True)
class Inverted:
    """A finished inversion.

    Attributes:
        run: The run.
        result: Its ``result.json``.
        options: What it was told.
    """

    run: Run
    result: dict[str, Any]
    options: TriggerInversionOptions

    @cached_property
    def lines(self) -> list[Line]:
        """The classes that have a trigger, in the order of the result."""
        listed = self.result.get("classes")
        if not isinstance(listed, list):
            raise CaseError(f"Run {self.run.id} lists no classes.", remedy="Scan again.")
        return [line for line in listed if trigger_path(self.run.folder, index_of(line)).is_file()]

    @property
    def own_pool(self) -> bool:
        """Whether it searched on the case's own pictures."""
        return self.options.pool is None

    @property
    def target(self) -> str | None:
        """The class that the run points to."""
        named = self.result.get("target")
        return named if isinstance(named, str) else None

    def line(self, name: str) -> Line:
        """Return one class.

        Raises:
            InputError: It was not scanned.
        """
        for line in self.lines:
            if line.get("class") == name:
                return line
        names = ", ".join(str(line.get("class")) for line in self.lines[:20])
        raise InputError(
            f"Run {self.run.id} has no trigger for the class {name[:80]!r}.",
            remedy=f"It scanned: {names}.",
        )

    def strongest(self) -> Line:
        """Return the class with the largest anomaly index.

        Raises:
            CaseError: There is no class with a trigger.
        """
        if not self.lines:
            raise CaseError(f"Run {self.run.id} left no triggers.", remedy="Scan again.")
        return max(self.lines, key=lambda line: _number(line, "anomaly_index", float("-inf")))

    def best_seed(self, line: Line) -> int:
        """Return the place of the reconstruction with the smallest loss."""
        seeds = line.get("seeds") or [{}]
        return min(range(len(seeds)), key=lambda k: _number(seeds[k], "loss", float("inf")))

    def seeds(self, line: Line) -> int:
        """Return how many reconstructions a class has."""
        return max(1, len(line.get("seeds") or ()))

    def trigger(self, line: Line, seed: int | None = None) -> StoredTrigger:
        """Read a trigger of a class, the best without a seed.

        Raises:
            CaseError: The file is gone or damaged.
        """
        place = self.best_seed(line) if seed is None else seed
        return read_trigger(self.run.folder, index_of(line), place)


def read_inversion(case: Case, run_id: str | None) -> Inverted:
    """Read a finished trigger inversion.

    Args:
        case: The case.
        run_id: Its id; the latest finished one without.

    Raises:
        CaseError: There is no such run, or it is not finished.
        InputError: It is a run of another method.
    """
    run = case.run(run_id, method=None if run_id else METHOD)
    if run.method != METHOD:
        raise InputError(
            f"Run {run.id} is one of {run.method}, not of {METHOD}.",
            remedy=f"Run: forensics scan {METHOD} --case {case.folder}",
        )
    return Inverted(
        run=run, result=run.result(), options=build_options(TriggerInversionOptions, run.options)
    )


def settle_inversion(case: Case, run_id: str | None, context: RunContext) -> Inverted:
    """Read a finished trigger inversion; a run that goes on keeps to the one that it began with.

    Args:
        case: The case.
        run_id: Its id; the latest finished one without.
        context: Of the run that builds on it.

    Raises:
        CaseError: There is no such run, or it is not finished.
        InputError: It is a run of another method.
    """
    settled = run_id or keep_choice(context.folder, "scan", lambda: case.run(method=METHOD).id)
    return read_inversion(case, settled)


def index_of(line: Line) -> int:
    """Return the place of a class among the model's.

    Raises:
        CaseError: The line does not say, or nonsense.
    """
    index = line.get("index")
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise CaseError("A class of the inversion has no place.", remedy="Scan again.")
    return index


def split_names(text: str | None) -> tuple[str, ...]:
    """Take a list of an option apart."""
    return tuple(part.strip() for part in (text or "").split(BETWEEN) if part.strip())


def _number(line: Line, name: str, missing: float) -> float:
    """Return a figure of a result; what was undefined there is null."""
    value = line.get(name)
    return float(value) if isinstance(value, int | float) else missing

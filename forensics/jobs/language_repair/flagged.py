"""Which samples a repair leaves out: what a scan or people flagged, or random ones.

The choice is made once, at the start of a run, and kept in it: a run that goes on after a stop
leaves out the same samples, whatever was scanned or decided meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from forensics.case import Case
from forensics.case.frozen import BOTH, SCAN, read_frozen
from forensics.case.standing import DISAGREEMENT, FLAG, KEEP, UNSURE
from forensics.data.sample import Sample
from forensics.errors import CaseError
from forensics.jobs.flagging import newest_flags, split_by_scan
from forensics.repairs.language_options import FilterRetuneOptions
from forensics.runs import RunContext
from forensics.runs.choices import keep_choice

LEFT_OUT: Final = "left_out.txt"  # in a run: their ids, one a line
_PEOPLE: Final = "people"
_TOLD: Final = ("out", "scan", "people", "method", "unsure", "unsure_dropped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is tuned on and what is not.

    Attributes:
        kept: Samples to tune on.
        out: Ids of the others.
        method: What chose them, for people: method and mode of a scan, people, either, chance or
            nothing.
        scan: Id of the scan whose flags count; ``None`` where none does.
        people: Whether the decisions of people count.
        unsure: Samples on which people were unsure or disagreed; ``None`` where nobody was asked.
        unsure_dropped: Whether these are among those left out.
    """

    kept: list[Sample]
    out: tuple[str, ...]
    method: str
    scan: str | None = None
    people: bool = False
    unsure: int | None = None
    unsure_dropped: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return counts and the source; the ids themselves go into a file."""
        told = {"n": len(self.kept), "left_out": len(self.out), "method": self.method,
                "scan": self.scan, "people": self.people}  # fmt: skip
        if self.unsure is not None:
            told |= {"unsure": self.unsure, "unsure_dropped": self.unsure_dropped}
        return told


def left_out(
    case: Case, context: RunContext, rows: list[Sample], options: FilterRetuneOptions
) -> Left:
    """Choose what a run leaves out, or take what it chose before it was stopped.

    Raises:
        CaseError: Neither scan nor people flagged anything, or the run has no decisions.
    """

    def told_of_choice() -> dict[str, Any]:
        left = _choose(case, context.folder, rows, options)
        return {name: getattr(left, name) for name in _TOLD}

    told = keep_choice(context.folder, "left_out", told_of_choice)
    out = set(told["out"])
    return Left(
        kept=[row for row in rows if row.id not in out],
        **{**told, "out": tuple(row.id for row in rows if row.id in out)},
    )


def _choose(case: Case, folder: Path, rows: list[Sample], options: FilterRetuneOptions) -> Left:
    if options.flags == SCAN:
        return without_flagged(case, rows, options.run)
    return without_decided(
        rows,
        read_frozen(folder),
        drop_unsure=options.unsure == "drop",
        scan=_scan_too(case, rows, options.run) if options.flags == BOTH else None,
    )


def _scan_too(case: Case, rows: list[Sample], run_id: str | None) -> Left | None:
    """Return what a scan flagged beside people; ``None`` where none was named and none flagged."""
    if run_id is None and newest_flags(case) is None:
        return None
    return without_flagged(case, rows, run_id)


def without_decided(
    rows: list[Sample], verdicts: Mapping[str, str], *, drop_unsure: bool, scan: Left | None = None
) -> Left:
    """Leave out what people flagged, and what a scan flagged unless people keep it.

    Args:
        rows: All samples.
        verdicts: Sample -> what people say: keep, flag, unsure or disagreement.
        drop_unsure: Whether samples on which they are unsure or disagree are left out too.
        scan: What a scan alone would leave out; ``None`` where only people count.

    Raises:
        CaseError: Nothing would be left out.
    """
    unsure = {name for name, said in verdicts.items() if said in (UNSURE, DISAGREEMENT)}
    out = {name for name, said in verdicts.items() if said == FLAG}
    if scan is not None:
        out |= set(scan.out) - {name for name, said in verdicts.items() if said == KEEP}
        out -= unsure  # people looked: the option says what becomes of these
    out |= unsure if drop_unsure else set()
    chosen = [row.id for row in rows if row.id in out]
    if not chosen:
        raise CaseError(
            "People have flagged nothing, so there is nothing to leave out.",
            remedy="Flag samples in the Review tab, or with forensics review.",
        )
    return Left(
        kept=[row for row in rows if row.id not in out],
        out=tuple(chosen),
        method=_PEOPLE if scan is None else f"{scan.method} or {_PEOPLE}",
        scan=None if scan is None else scan.scan,
        people=True,
        unsure=sum(row.id in unsure for row in rows),
        unsure_dropped=drop_unsure,
    )


def without_flagged(case: Case, rows: list[Sample], run_id: str | None) -> Left:
    """Leave out what a scan flagged.

    Raises:
        CaseError: There is no such scan, or none that flagged anything.
    """
    run, flagged, _ = split_by_scan(case, run_id)
    if not flagged.size:
        raise CaseError(
            f"Scan {run.id} flagged nothing, so there is nothing to leave out.",
            remedy="Name another scan with --run, or choose a repair that needs no flags.",
        )
    chosen = set(flagged.tolist())
    mode = run.options.get("mode")
    return Left(
        kept=[row for place, row in enumerate(rows) if place not in chosen],
        out=tuple(rows[place].id for place in sorted(chosen)),
        method=f"{run.method} ({mode})" if mode else run.method,
        scan=run.id,
    )


def without_random(rows: list[Sample], share: float, seed: int) -> Left:
    """Leave out a random share: what filtering must be better than."""
    count = int(share * len(rows))
    drawn = np.random.default_rng([seed, 5]).choice(len(rows), size=count, replace=False)
    chosen = set(drawn.tolist())
    return Left(
        kept=[row for place, row in enumerate(rows) if place not in chosen],
        out=tuple(rows[place].id for place in sorted(chosen)),
        method=f"{share:.0%} at random",
    )


def everything(rows: list[Sample]) -> Left:
    """Leave nothing out."""
    return Left(kept=rows, out=(), method="nothing")

"""Which samples a repair leaves out: what a scan flagged, or random ones for comparison."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.errors import CaseError
from forensics.jobs.masked_views.candidates import flagged_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is tuned on and what is not.

    Attributes:
        kept: Samples to tune on.
        out: Ids of the others.
        by: What chose them: id of a scan, ``random`` or ``nothing``.
        method: Method and mode of the scan, for people.
    """

    kept: list[Sample]
    out: tuple[str, ...]
    by: str
    method: str

    def to_json(self) -> dict[str, Any]:
        """Return counts and the source; the ids themselves go into a file."""
        return {"n": len(self.kept), "left_out": len(self.out), "by": self.by,
                "method": self.method}  # fmt: skip


def without_flagged(case: Case, rows: list[Sample], run_id: str | None) -> Left:
    """Leave out what a scan flagged.

    Raises:
        CaseError: There is no such scan, or none that flagged anything.
    """
    run, flagged, _ = flagged_rows(case, run_id)
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
        by=run.id,
        method=f"{run.method} ({mode})" if mode else run.method,
    )


def without_random(rows: list[Sample], share: float, seed: int) -> Left:
    """Leave out a random share: what filtering must be better than."""
    count = int(share * len(rows))
    drawn = np.random.default_rng([seed, 5]).choice(len(rows), size=count, replace=False)
    chosen = set(drawn.tolist())
    return Left(
        kept=[row for place, row in enumerate(rows) if place not in chosen],
        out=tuple(rows[place].id for place in sorted(chosen)),
        by="random",
        method=f"{share:.0%} at random",
    )


def everything(rows: list[Sample]) -> Left:
    """Leave nothing out."""
    return Left(kept=rows, out=(), by="nothing", method="nothing")

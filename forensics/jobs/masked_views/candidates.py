"""Which samples the masked views are shown of: what a scan flagged, and random others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.flagging import Rows, split_by_scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The samples of a diagnostic, candidates before controls.

    Attributes:
        run: Id of the scan that flagged the candidates.
        rows: ``[n]`` catalogue rows.
        candidate: ``[n]`` bool.
        flagged: How many samples the scan flagged in all.
    """

    run: str
    rows: Rows
    candidate: NDArray[np.bool_]
    flagged: int


def choose_samples(
    case: Case, *, run_id: str, max_candidates: int, controls: int, seed: int
) -> Chosen:
    """Choose candidates and controls; the same seed chooses the same.

    Both are drawn at random from the samples with a picture: candidates from those that the scan
    flagged, controls from those that it scanned and did not flag. The ground truth is not asked.

    Raises:
        CaseError: There is no scan that flagged a sample with a picture, or nothing else is left
            to compare with.
    """
    run, flagged, rest = split_by_scan(case, run_id)
    pictured = np.array([image is not None for image in case.catalog.column("image")])
    generator = np.random.default_rng(seed)
    chosen = _draw(generator, flagged[pictured[flagged]], max_candidates)
    others = _draw(generator, rest[pictured[rest]], controls)
    if not chosen.size or not others.size:
        raise CaseError(
            f"Run {run.id} leaves {chosen.size} candidates and {others.size} controls with a "
            "picture; both are needed.",
            remedy="Name another scan with --run.",
        )
    rows = np.concatenate([chosen, others])
    return Chosen(
        run=run.id, rows=rows, candidate=np.arange(len(rows)) < len(chosen), flagged=len(flagged)
    )


def _draw(generator: np.random.Generator, rows: Rows, most: int) -> Rows:
    if len(rows) > most:
        rows = generator.choice(rows, size=most, replace=False)
    return np.sort(rows).astype(np.int64)

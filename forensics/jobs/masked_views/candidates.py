"""Which samples the masked views are shown of: what a scan flagged, and random others."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.flag_files import SCORES
from forensics.registry import methods
from forensics.runs import Run, State

Rows = NDArray[np.int64]


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
    run, flagged, rest = flagged_rows(case, run_id)
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


def flagged_rows(case: Case, run_id: str | None) -> tuple[Run, Rows, Rows]:
    """Return a scan, the rows it flagged and the rows it did not.

    Args:
        case: The case.
        run_id: The scan; the latest finished one that flagged any by default.

    Raises:
        CaseError: There is none, or its table cannot be read.
    """
    run = case.run(run_id or latest_flags(case))
    return run, *_read_flags(case, run)


def latest_flags(case: Case) -> str:
    """Return the id of the latest finished scan that flagged a sample.

    Raises:
        CaseError: There is none.
    """
    scans = {spec.name for spec in methods().values() if spec.kind == "scan"}
    for run in case.runs():
        if run.method not in scans or run.status().state is not State.FINISHED:
            continue
        if not run.path(SCORES).is_file():
            continue
        if _read_flags(case, run)[0].size:
            return run.id
    raise CaseError(
        "No finished scan of this case flagged a sample, so there are no candidates.",
        remedy="Scan the case first, or name a scan with --run.",
    )


def _read_flags(case: Case, run: Run) -> tuple[Rows, Rows]:
    try:
        table = pq.read_table(run.path(SCORES), columns=["row", "flagged"])
        rows = table.column("row").to_numpy().astype(np.int64)
        flagged = table.column("flagged").to_numpy(zero_copy_only=False).astype(np.bool_)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise CaseError(
            f"Run {run.id} has no readable table of flags.", remedy="Name a finished scan."
        ) from error
    if rows.size and (rows.min() < 0 or rows.max() >= len(case.catalog)):
        raise CaseError(f"The scores of run {run.id} name rows that the case does not have.")
    return rows[flagged], rows[~flagged]

"""What a transplant test takes over from a finished scan: flags, peaks and grids; no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.data.sample import ImageRef, Sample
from forensics.errors import CaseError, InputError
from forensics.jobs.attention.arrays import ARRAYS, AttentionArrays, load_arrays
from forensics.jobs.attention.layouts import load_layouts
from forensics.jobs.flag_files import SCORES
from forensics.models.base import ImageGrid
from forensics.runs import Run, State

ATTENTION = "attention-entropy"
Mask = NDArray[np.bool_]
Grids = Callable[[int], tuple[ImageGrid, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A finished scan, sample by sample.

    Attributes:
        run: Id of the scan.
        rows: ``[n]`` catalogue rows.
        read: ``[n]`` samples that could be scanned.
        flagged: ``[n]`` by the scan's own rule, or by force.
        suspected: ``[n]`` flagged by any of its rules, or by force: none of these is a host.
        layers: Sensitive layers of its rule; empty where there is none.
        peak_token: ``[n, layer]`` strongest image token.
        peak_mass: ``[n, layer]`` its share of the image row.
        grids: Place -> grids of the sample in token order.
        forced: Samples flagged by force; 0 in an ordinary test.
    """

    run: str
    rows: NDArray[np.int64]
    read: Mask
    flagged: Mask
    suspected: Mask
    layers: tuple[int, ...]
    peak_token: NDArray[np.int32]
    peak_mass: NDArray[np.float32]
    grids: Grids
    forced: int


def read_scan(case: Case, run_id: str | None, force: int) -> Scanned:
    """Read a scan's flags and attention peaks.

    Args:
        case: The case.
        run_id: The scan; the latest attention scan if ``None``.
        force: Take so many of the lowest-scoring samples as flagged instead of the scan's own.

    Raises:
        CaseError: There is no such scan, or its arrays are gone.
        InputError: It flags nothing.
    """
    run = case.run(run_id, method=None if run_id else ATTENTION)
    measured = _with_arrays(case, run)
    arrays = load_arrays(measured.folder)
    table = _scores(run)
    if not np.array_equal(np.asarray(table["row"], dtype=np.int64), arrays.rows):
        raise CaseError(
            f"Run {run.id} does not fit the arrays of {measured.id}.", remedy="Scan again."
        )
    read = np.isfinite(arrays.peak_mass).all(axis=1) & (arrays.tokens > 0)
    if force:
        flagged = suspected = _forced(run, table, arrays, read, force)
    else:
        flagged = np.asarray(table["flagged"], dtype=bool) & read
        suspected = np.logical_or.reduce(
            [np.asarray(table[name], dtype=bool) for name in table if _suspects(name)]
        )
    if not flagged.any():
        raise InputError(
            f"The scan {run.id} flags nothing, so there is no patch to cut out.",
            remedy="A control experiment takes samples by force: --force 50.",
        )
    return Scanned(
        run=run.id,
        rows=arrays.rows,
        read=read,
        flagged=flagged,
        suspected=suspected,
        layers=_layers(run),
        peak_token=arrays.peak_token,
        peak_mass=arrays.peak_mass,
        grids=load_layouts(measured.folder, arrays.layout).grids,
        forced=int(flagged.sum()) if force else 0,
    )


def picture_codes(case: Case, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the first pictures of samples; equal numbers mean the same picture."""
    known: dict[ImageRef | None, int] = {}
    images = [sample.image for sample in _in_parts(case, rows)]
    return np.array([known.setdefault(image, len(known)) for image in images], dtype=np.int64)


def _in_parts(case: Case, rows: NDArray[np.int64], size: int = 1024) -> list[Sample]:
    found: list[Sample] = []
    for start in range(0, len(rows), size):
        found += case.catalog.select(rows[start : start + size])
    return found


def _with_arrays(case: Case, run: Run) -> Run:
    """Return the scan itself, or the attention scan whose arrays it was made from."""
    if run.status().state is not State.FINISHED:
        raise CaseError(f"The scan {run.id} is not finished.", remedy="Wait for it, or resume it.")
    if (run.folder / ARRAYS).is_file():
        return run
    named = run.result().get("arrays_run")
    return case.run(named if isinstance(named, str) else None, method=ATTENTION)


def _scores(run: Run) -> dict[str, list[Any]]:
    path = run.folder / SCORES
    if not path.is_file():
        raise CaseError(
            f"Run {run.id} is no scan with flagged samples.",
            remedy="Name an attention scan with --run.",
        )
    table: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    if not {"row", "flagged"} <= table.keys():
        raise CaseError(f"The scores of {run.id} are damaged.", remedy="Scan again.")
    return table


def _suspects(column: str) -> bool:
    """Tell whether a column of the scores marks samples that may not be hosts."""
    return column.startswith("flagged") or column == "for_review"


def _forced(
    run: Run, table: dict[str, list[Any]], arrays: AttentionArrays, read: Mask, count: int
) -> Mask:
    """Flag the lowest scores; without a score (no layer passes), the lowest mean entropy."""
    # Only an entropy is known to be more suspicious the lower it is.
    score = np.array(
        table.get(f"score_{run.options.get('mode')}", []) if run.method == ATTENTION else [],
        dtype=np.float64,
    )
    if score.size != read.size or not np.isfinite(score[read]).any():
        score = arrays.entropy.mean(axis=1).astype(np.float64)
    score = np.where(read & np.isfinite(score), score, np.inf)
    order = np.argsort(score, kind="stable")[: min(count, int(np.isfinite(score).sum()))]
    flagged = np.zeros(read.size, dtype=bool)
    flagged[order] = True
    return flagged


def _layers(run: Run) -> tuple[int, ...]:
    """Return the sensitive layers of an entropy scan; other methods do not speak of layers."""
    if run.method != ATTENTION:
        return ()
    result = run.result()
    mode = result.get("modes", {}).get(result.get("mode"), {})
    return tuple(int(layer) for layer in mode.get("layers", ()))

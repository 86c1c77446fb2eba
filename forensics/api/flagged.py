"""What a finished run flags, a page at a time: sample, score and reason."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import CaseError, OptionError
from forensics.export.scan import reasons_of
from forensics.jobs.flag_files import SCORES
from forensics.jobs.flag_tables import flagged_rows, has_flags
from forensics.runs import Run

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedSample:
    """One flagged sample. Its texts come out of the examined data: never run or render them.

    Attributes:
        row: Row of the catalogue, from 0.
        id: Its id in the data set.
        question: What the model is asked.
        answer: What the data teaches it to say, or ``None``.
        label: Class label, or ``None``.
        source: File that it stands in.
        line: Line or row of that file, from 1.
        score: Behind the decision, in the method's own direction; ``None`` where it has none.
        reason: Why it is flagged, in a sentence.
    """

    row: int
    id: str
    question: str
    answer: str | None
    label: str | None
    source: str
    line: int
    score: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedPage:
    """A page of flagged samples, in the order of the data.

    Attributes:
        total: How many the run flags.
        start: Place of the first of this page, from 0.
        samples: The page.
    """

    total: int
    start: int
    samples: tuple[FlaggedSample, ...]


def flagged_page(case: Case, run: Run, start: int = 0, most: int = 100) -> FlaggedPage:
    """Return a page of what a finished run flags.

    Args:
        case: The case.
        run: A finished run of it.
        start: Place of the first sample, from 0.
        most: Samples at most, 1 to 1,000.

    Raises:
        CaseError: The method flags no samples, or its table is damaged.
        OptionError: ``start`` or ``most`` is out of range.
    """
    if start < 0 or not 1 <= most <= LARGEST_PAGE:
        raise OptionError(f"A page starts at 0 or later and has 1 to {LARGEST_PAGE} samples.")
    if not has_flags(run):
        raise CaseError(
            f"{run.method} flags no samples.", remedy="Choose a run of a scan that flags samples."
        )
    rows = flagged_rows(run, len(case.catalog))
    page = rows[start : start + most]
    samples = tuple(_samples(case, run, page)) if page.size else ()
    return FlaggedPage(total=len(rows), start=start, samples=samples)


def _samples(case: Case, run: Run, rows: NDArray[np.int64]) -> Iterator[FlaggedSample]:
    tell = _teller(case, run)
    for row, sample in zip(map(int, rows), case.catalog.select(rows), strict=True):
        score, reason = tell(row)
        yield FlaggedSample(
            row=row, id=sample.id, question=sample.question, answer=sample.answer,
            label=sample.label, source=sample.source, line=sample.line, score=score, reason=reason,
        )  # fmt: skip


def _teller(case: Case, run: Run) -> Callable[[int], tuple[float | None, str]]:
    """Return what tells score and reason of a catalogue row."""
    try:
        table = pq.read_table(run.path(SCORES))
        place = {int(row): index for index, row in enumerate(table.column("row").to_pylist())}
    except (OSError, pa.ArrowException, KeyError) as error:
        raise CaseError(
            f"The scores of {run.id} cannot be read.", remedy="Run it again."
        ) from error
    name = next((n for n in (f"score_{run.result().get('mode')}", "score")
                 if n in table.column_names), None)  # fmt: skip
    scores = None if name is None else np.asarray(table.column(name), dtype=np.float64)
    reason = reasons_of(case, run)

    def tell(row: int) -> tuple[float | None, str]:
        index = place[row]
        value = None if scores is None else float(scores[index])
        return (value if value is not None and np.isfinite(value) else None), reason(index)

    return tell

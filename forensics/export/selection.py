"""Write samples that somebody selected by hand, with what is known of each."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.export.table_rows import Columns, export_rows

_FIRST: Final[Columns] = {
    "id": str, "row_id": str, "source": str, "line": int, "question": str, "answer": str,
    "label": str,
}  # fmt: skip
_STEP: Final = 1024


def export_selection(
    case: Case,
    rows: NDArray[np.int64],
    more: Mapping[str, NDArray[Any]],
    to: Path,
    *,
    overwrite: bool = False,
) -> int:
    """Write one line per selected sample, exactly these, in the order given.

    Args:
        case: The case.
        rows: ``[n]`` catalogue rows.
        more: Further columns of numbers ``[n]``: places on a map, groups, scores.
        to: The file; its suffix ``.csv``, ``.jsonl`` or ``.parquet`` chooses the format.
        overwrite: Whether a file that is already there may be replaced.

    Returns:
        Lines written. Each has ``id`` (of the sample), ``row_id`` (of the row it stands in, where
        a turn of a conversation is a sample of its own), ``source``, ``line``, ``question``,
        ``answer``, ``label`` and the further columns.

    Raises:
        DataError: The suffix is another, the file exists, or it cannot be written.
    """
    kinds = {name: _kind(values) for name, values in more.items()}
    return export_rows(_lines(case, rows, more), dict(_FIRST) | kinds, to, overwrite=overwrite)


def _kind(values: NDArray[Any]) -> type:
    return int if np.issubdtype(values.dtype, np.integer) else float


def _lines(
    case: Case, rows: NDArray[np.int64], more: Mapping[str, NDArray[Any]]
) -> Iterator[dict[str, object]]:
    for start in range(0, len(rows), _STEP):
        samples = case.catalog.select(rows[start : start + _STEP])
        for place, sample in enumerate(samples, start=start):
            yield {
                "id": sample.id, "row_id": sample.row_id, "source": sample.source,
                "line": sample.line, "question": sample.question, "answer": sample.answer,
                "label": sample.label,
                **{name: values[place].item() for name, values in more.items()},
            }  # fmt: skip

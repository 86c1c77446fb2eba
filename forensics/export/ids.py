"""Write which rows are kept and which are flagged, as CSV, JSON Lines or Parquet."""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Literal

from forensics.errors import DataError
from forensics.export.atomic import whole_file

# A spreadsheet runs a cell that begins with one of these as a formula (OWASP, CSV injection);
# the full-width forms count in some locales.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_ROW_GROUP_ROWS = 65_536
_Cells = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdRow:
    """What was decided about one row of the data set.

    Attributes:
        id: Id of the sample.
        decision: Whether the row is kept or flagged.
        score: Score behind the decision, in the direction and units of the method; ``None`` or
            NaN where the row could not be scored.
        source: File that the row stands in.
        line: Line or row counted from 1; 0 where it is not known.
        reason: Why it is flagged, in words.
    """

    id: str
    decision: Literal["keep", "flag"]
    score: float | None = None
    source: str = ""
    line: int = 0
    reason: str = ""


def export_ids(rows: Iterable[IdRow], to: Path, *, overwrite: bool = False) -> int:
    """Write one row per sample and return how many were written.

    In CSV, text that a spreadsheet would run as a formula is prefixed with an apostrophe; JSON
    Lines and Parquet hold the ids exactly.

    Args:
        rows: What was decided, in the order to write; taken one at a time.
        to: The file; its suffix ``.csv``, ``.jsonl`` or ``.parquet`` chooses the format.
        overwrite: Whether a file that is already there may be replaced.

    Raises:
        DataError: The suffix is another, the file exists, or it cannot be written.
    """
    try:
        write = _WRITERS[to.suffix.lower()]
    except KeyError:
        raise DataError(
            f"Ids cannot be written as '{to.suffix}'.", remedy=f"Use {', '.join(_WRITERS)}."
        ) from None
    with whole_file(to, overwrite=overwrite) as partial:
        return write((_cells(row) for row in rows), partial)


def merge_turns(rows: Iterable[IdRow], *, higher: bool = False) -> Iterator[IdRow]:
    """Yield one row per id: turns of one conversation, which follow each other, become one.

    The row is flagged if any of its turns is; its score is the most suspicious one, its reason that
    of the first flagged turn.

    Args:
        rows: What was decided about each turn, under the id of its row.
        higher: Whether high scores are the suspicious ones; else low ones.
    """
    for _, group in groupby(rows, key=lambda row: row.id):
        turns = list(group)
        flagged = [turn for turn in turns if turn.decision == "flag"]
        scores = [turn.score for turn in turns if turn.score is not None]
        worst = max if higher else min
        score = worst((score for score in scores if not math.isnan(score)), default=None)
        yield replace((flagged or turns)[0], score=score)


def escape_formula(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _cells(row: IdRow) -> dict[str, object]:
    cells = asdict(row)
    if row.score is not None and not math.isfinite(row.score):
        cells["score"] = None
    return cells


def _write_csv(rows: Iterator[_Cells], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([field.name for field in fields(IdRow)])
        for row in rows:
            values = row.values()
            writer.writerow([escape_formula(v) if isinstance(v, str) else v for v in values])
            count += 1
    return count


def _write_json_lines(rows: Iterator[_Cells], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    return count


def _write_parquet(rows: Iterator[_Cells], path: Path) -> int:
    import pyarrow as pa  # slow to import
    import pyarrow.parquet as pq

    types = {"score": pa.float64(), "line": pa.int64()}
    schema = pa.schema([(f.name, types.get(f.name, pa.string())) for f in fields(IdRow)])
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        while group := list(islice(rows, _ROW_GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema))
            count += len(group)
    return count


_WRITERS: Mapping[str, Callable[[Iterator[_Cells], Path], int]] = {
    ".csv": _write_csv,
    ".jsonl": _write_json_lines,
    ".parquet": _write_parquet,
}

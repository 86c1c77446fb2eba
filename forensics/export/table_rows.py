"""Write rows of named cells as CSV, JSON Lines or Parquet; whole or not at all."""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from forensics.errors import DataError
from forensics.export.atomic import whole_file

Cells = Mapping[str, object]
Columns = Mapping[str, type]
"""Name of each column in order, and ``str``, ``int`` or ``float``."""

# A spreadsheet runs a cell that begins with one of these as a formula (OWASP, CSV injection);
# the full-width forms count in some locales.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_ROW_GROUP_ROWS = 65_536


def export_rows(
    rows: Iterable[Cells], columns: Columns, to: Path, *, overwrite: bool = False
) -> int:
    """Write one line per row and return how many were written.

    In CSV, text that a spreadsheet would run as a formula is prefixed with an apostrophe; JSON
    Lines and Parquet hold texts exactly. Numbers that are not finite become empty cells.

    Args:
        rows: One at a time, each with a cell for every column.
        columns: Names and types.
        to: The file; its suffix ``.csv``, ``.jsonl`` or ``.parquet`` chooses the format.
        overwrite: Whether a file that is already there may be replaced.

    Raises:
        DataError: The suffix is another, the file exists, or it cannot be written.
    """
    try:
        write = _WRITERS[to.suffix.lower()]
    except KeyError:
        raise DataError(
            f"Rows cannot be written as '{to.suffix}'.", remedy=f"Use {', '.join(_WRITERS)}."
        ) from None
    with whole_file(to, overwrite=overwrite) as partial:
        return write((_finite(row, columns) for row in rows), columns, partial)


def escape_formula(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _finite(row: Cells, columns: Columns) -> dict[str, object]:
    cells = {name: row[name] for name in columns}
    return {
        name: None if isinstance(cell, float) and not math.isfinite(cell) else cell
        for name, cell in cells.items()
    }


def _write_csv(rows: Iterator[Cells], columns: Columns, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(list(columns))
        for row in rows:
            values = row.values()
            writer.writerow([escape_formula(v) if isinstance(v, str) else v for v in values])
            count += 1
    return count


def _write_json_lines(rows: Iterator[Cells], _columns: Columns, path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    return count


def _write_parquet(rows: Iterator[Cells], columns: Columns, path: Path) -> int:
    import pyarrow as pa  # slow to import
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        while group := list(islice(rows, _ROW_GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema))
            count += len(group)
    return count


_WRITERS: Mapping[str, Callable[[Iterator[Cells], Columns, Path], int]] = {
    ".csv": _write_csv,
    ".jsonl": _write_json_lines,
    ".parquet": _write_parquet,
}

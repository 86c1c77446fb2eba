"""Fetch single image cells of Parquet and Arrow files, in order at little cost, at random too."""

import threading
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa

from forensics.data.arrow_cells import DAMAGED
from forensics.data.arrow_file import ArrowCursor
from forensics.data.parquet import open_parquet
from forensics.errors import DataError

_BATCH_ROWS = 8  # each may be an image of many megabytes
_LOCAL = threading.local()
# Besides a damaged file: no such row, column or struct field, no bytes, fewer rows than promised.
_UNREADABLE = (
    *DAMAGED,
    *(IndexError, KeyError, AttributeError, StopIteration),
)


def read_cell(
    path: Path, column: str, row: int, limit: int, item: int | None = None
) -> bytes | None:
    """Return the bytes of an image cell, or ``None`` where it has more than ``limit``.

    Reading rows in rising order reads the file once; a step back starts its row group anew.

    Args:
        path: The file; the suffix ``.arrow`` says that it is an Arrow file.
        column: A column of bytes, of structs with a field ``bytes``, or of lists of either.
        row: Row counted from 0.
        limit: Most bytes to return.
        item: Place in the cell, counted from 0, where it is a list.

    Raises:
        DataError: There is no such cell, it is empty, or the file is damaged.
    """
    try:
        cell = _cursor(path, column).cell(row)
        if isinstance(cell, pa.ListScalar) and item is not None and cell.is_valid:
            cell = cell.values[item]
        if isinstance(cell, pa.StructScalar):
            cell = cell["bytes"]
        if cell is None or not cell.is_valid:
            raise DataError(f"{path}, row {row + 1}: column '{column}' holds no image.")
        buffer = cell.as_buffer()
    except _UNREADABLE as error:
        _LOCAL.cursor = None
        raise DataError(
            f"{path}, row {row + 1}: column '{column}' cannot be read: {error}.",
            remedy="The file is damaged or was changed: copy it again, or make a new case.",
        ) from error
    return None if buffer.size > limit else bytes(buffer)


class _ParquetCursor:
    """A place in one column of one Parquet file."""

    def __init__(self, path: Path, column: str) -> None:
        self._file = open_parquet(path)
        self._column = column
        metadata = self._file.metadata
        rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = [0, *accumulate(rows)]
        self._group = -1
        self._batches: Iterator[Any] = iter(())
        self._cells: Any = []
        self._first = 0

    def cell(self, row: int) -> Any:
        """Return the Arrow scalar at ``row``."""
        if not 0 <= row < self._starts[-1]:
            raise IndexError(f"the file has {self._starts[-1]:,} rows")
        group = bisect_right(self._starts, row) - 1
        if group != self._group or row < self._first:
            self._open_group(group)
        while row >= self._first + len(self._cells):
            self._first += len(self._cells)
            self._cells = next(self._batches).column(0)
        return self._cells[row - self._first]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open_group(self, group: int) -> None:
        if self._column not in self._file.schema_arrow.names:
            raise KeyError("no such column")
        self._batches = self._file.iter_batches(
            _BATCH_ROWS, row_groups=[group], columns=[self._column]
        )
        self._group, self._first, self._cells = group, self._starts[group], []


def _cursor(path: Path, column: str) -> _ParquetCursor | ArrowCursor:
    """Return this thread's cursor, a new one where the file or the column is another."""
    status = path.stat()
    key = (path, column, status.st_mtime_ns, status.st_size)
    cursor: _ParquetCursor | ArrowCursor | None = getattr(_LOCAL, "cursor", None)
    if cursor is None or _LOCAL.key != key:
        if cursor is not None:
            cursor.close()
        kind = ArrowCursor if path.suffix.lower() == ".arrow" else _ParquetCursor
        cursor = kind(path, column)
        _LOCAL.cursor, _LOCAL.key = cursor, key
    return cursor

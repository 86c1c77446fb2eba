"""Read Arrow files, as the ``datasets`` library saves them, without trusting what they say.

The file is mapped, not loaded. Arrow takes the offsets inside a file on trust and would follow a
hostile one out of the mapping, so each column is checked before a cell of it is touched.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa

from forensics.data.arrow_cells import BATCH_ROWS, DAMAGED, CellReader
from forensics.data.assemble import Assembler
from forensics.data.parquet import damaged
from forensics.data.records import Draft, Record
from forensics.data.textfile import read_head
from forensics.errors import DataError, first_line


class ArrowFile:
    """A mapped Arrow file, in the stream or the file layout.

    Args:
        path: The file.

    Raises:
        DataError: It is missing, empty, or something else.
    """

    def __init__(self, path: Path) -> None:
        head = read_head(path)
        if not head:
            raise DataError(f"{path} is empty.", remedy="Check that it was copied completely.")
        try:
            self._map = pa.memory_map(str(path))
            opened = pa.ipc.open_file if head.startswith(b"ARROW1") else pa.ipc.open_stream
            self._reader = opened(self._map)
            self.schema = self._reader.schema
            _ = self.schema.names  # damage shows only when they are asked for
        except DAMAGED as error:
            raise DataError(
                f"{path} cannot be read as Arrow: {first_line(error)}.",
                remedy="It may be cut off: copy or download it again.",
            ) from error

    def batches(self) -> Iterator[Any]:
        """Yield the record batches, unchecked and not yet in memory.

        Raises:
            pyarrow.ArrowException: The rest of the file is damaged.
        """
        if isinstance(self._reader, pa.ipc.RecordBatchFileReader):
            for number in range(self._reader.num_record_batches):
                yield self._reader.get_batch(number)
        else:
            yield from self._reader

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()


def checked(batch: Any, names: Sequence[str]) -> Any:
    """Return some columns of a batch after checking every offset in them.

    Raises:
        pyarrow.ArrowInvalid: A column points outside its own data.
    """
    chosen = batch.select(list(names))
    for column in chosen.columns:
        if pa.types.is_string(column.type):
            # Cells that are no UTF-8 are refused one by one later; here only offsets count.
            column = column.view(pa.binary())
        column.validate(full=True)
    return chosen


def arrow_records(
    path: Path, reader: CellReader, assembler: Assembler, done: int, source: str
) -> Iterator[Record]:
    """Yield the rows of one Arrow file; see :func:`forensics.data.parquet.parquet_records`."""
    file = ArrowFile(path)
    row = 0
    try:
        for batch in file.batches():
            end = row + batch.num_rows
            chosen = checked(batch, reader.names)
            for start in range(0, batch.num_rows, BATCH_ROWS):
                for cells in reader.rows(chosen.slice(start, BATCH_ROWS), row):
                    row += 1
                    yield from assembler.records(
                        Draft(line=row, row=done + row, raw=row - 1, cells=cells, source=source)
                    )
            row = end
    except DAMAGED as error:
        reason = f"what follows row {row} is damaged: {first_line(error)}"
        yield from assembler.records(damaged(reason, row, done, source))
    finally:
        file.close()


class ArrowCursor:
    """A place in one column of an Arrow file.

    Args:
        path: The file.
        column: The column.
    """

    def __init__(self, path: Path, column: str) -> None:
        self._file = ArrowFile(path)
        if column not in self._file.schema.names:
            raise KeyError("no such column")
        self._names = [column]
        self._batches = list(self._file.batches())
        self._starts = [0, *accumulate(batch.num_rows for batch in self._batches)]
        self._group = -1
        self._cells: Any = []

    def cell(self, row: int) -> Any:
        """Return the Arrow scalar at ``row``."""
        if not 0 <= row < self._starts[-1]:
            raise IndexError(f"the file has {self._starts[-1]:,} rows")
        group = bisect_right(self._starts, row) - 1
        if group != self._group:
            self._cells = checked(self._batches[group], self._names).column(0)
            self._group = group
        return self._cells[row - self._starts[group]]

    def close(self) -> None:
        """Let go of the file."""
        self._cells, self._batches = [], []
        self._file.close()

"""Read Parquet tables whose image column holds paths, bytes, or Hugging Face ``{bytes, path}``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from forensics.data.arrow_cells import BATCH_ROWS, DAMAGED, CellReader
from forensics.data.assemble import Assembler
from forensics.data.fields import FieldMap, find_columns
from forensics.data.records import BadRow, Draft, FileDataset, Record, Turns
from forensics.data.textfile import read_head
from forensics.errors import DataError, first_line


class ParquetTable(FileDataset):
    """Stream a Parquet table row group by row group.

    A damaged row group is reported once and passed over; the next one is read.

    Args:
        path: The ``.parquet`` file, absolute.
        uri: How the user names it, scheme included.
        root: Folder that every image stays under; holds the file itself if images are in cells.
        fields: Columns that the user named.
        turns: Which turns of a conversation are samples.

    Raises:
        DataError: The file is missing or damaged, or has no usable image column.
    """

    format = "table"

    def __init__(
        self,
        path: Path,
        uri: str,
        root: Path,
        fields: FieldMap | None = None,
        turns: Turns = "first",
    ) -> None:
        super().__init__(path, uri, root, turns)
        with open_parquet(path) as file:
            schema = file.schema_arrow
        self.columns = find_columns(schema.names, fields, path.name)
        self._reader = CellReader(path, root, self.columns, schema)

    def records(self) -> Iterator[Record]:
        """Yield every row in file order; its original is the row number from 0."""
        assembler = Assembler(self.path.name, self.path.stem, self.root, self.turns)
        yield from parquet_records(self.path, self._reader, assembler)


def parquet_records(
    path: Path, reader: CellReader, assembler: Assembler, done: int = 0, source: str = ""
) -> Iterator[Record]:
    """Yield the rows of one Parquet file; the original of each is its row number from 0.

    Args:
        path: The file.
        reader: Takes its batches apart.
        assembler: Checks the rows.
        done: Rows of the data set that stand in files before this one.
        source: The file's name, where the data set has several.
    """
    with open_parquet(path) as file:
        row = 0
        for group in range(file.num_row_groups):
            end = row + file.metadata.row_group(group).num_rows
            try:
                for batch in file.iter_batches(
                    BATCH_ROWS, row_groups=[group], columns=reader.names
                ):
                    for cells in reader.rows(batch, row):
                        row += 1
                        yield from assembler.records(
                            Draft(line=row, row=done + row, raw=row - 1, cells=cells, source=source)
                        )
            except DAMAGED as error:
                reason = f"rows {row + 1} to {end} are damaged: {first_line(error)}"
                yield from assembler.records(damaged(reason, row, done, source))
            row = end


def damaged(reason: str, row: int, done: int, source: str) -> Draft:
    """Return the draft that stands for rows that cannot be read, from ``row`` (0-based) on."""
    problem = BadRow(reason, "Copy or download the file again.")
    place = done + row + 1
    return Draft(line=row + 1, row=place, raw=row, cells={}, problem=problem, source=source)


def open_parquet(path: Path) -> Any:
    """Open a Parquet file for streaming.

    Raises:
        DataError: It is missing, damaged, or something else.
    """
    head = read_head(path)
    if not head.startswith(b"PAR1"):
        what = "is not a Parquet file" if head else "is empty"
        raise DataError(f"{path} {what}.", remedy="Check that it was copied completely.")
    try:
        # Without read-ahead of whole column chunks: those may be gigabytes of images.
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
        _ = file.schema_arrow.names  # damage shows only when they are asked for
        return file
    except DAMAGED as error:
        raise DataError(
            f"{path} cannot be read as Parquet: {first_line(error)}.",
            remedy="It may be cut off: copy or download it again.",
        ) from error

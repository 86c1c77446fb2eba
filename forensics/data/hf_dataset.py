"""Read data sets of the Hugging Face ``datasets`` library from their Parquet and Arrow files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forensics.data.arrow_cells import CellReader
from forensics.data.arrow_file import ArrowFile, arrow_records
from forensics.data.assemble import Assembler
from forensics.data.fields import FieldMap, find_columns
from forensics.data.hf_files import SplitFiles
from forensics.data.parquet import damaged, open_parquet, parquet_records
from forensics.data.records import FileDataset, Record, Turns
from forensics.errors import DataError


class HfDataset(FileDataset):
    """Stream one split, file by file; images stay undecoded in their files until they are opened.

    A file that cannot be read is one row error; the next one is read.

    Args:
        path: Folder of the data set, absolute.
        uri: How the user names it, scheme included.
        root: Folder that every file and image stays under; holds ``path``.
        files: The files of the split.
        fields: Columns that the user named.
        turns: Which turns of a conversation are samples.

    Attributes:
        split: The files of the split.

    Raises:
        DataError: The first file cannot be read, or has no usable image column.
    """

    format = "hf-dataset"

    def __init__(
        self,
        path: Path,
        uri: str,
        root: Path,
        files: SplitFiles,
        fields: FieldMap | None = None,
        turns: Turns = "first",
    ) -> None:
        super().__init__(path, uri, root, turns)
        self.split = files
        first = path / files.data[0]
        self._columns = find_columns(schema_of(first).names, fields, files.data[0])
        self._reader(first)

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the data files and the JSON files that describe them."""
        return tuple(self.path / name for name in (*self.split.data, *self.split.notes))

    def records(self) -> Iterator[Record]:
        """Yield every row file by file; its original is the row number in its file, from 0."""
        stem = self.split.split or self.path.name
        assembler = Assembler(self.path.name, stem, self.root, self.turns)
        done = 0
        for name in self.split.data:
            for record in self._records_of(name, assembler, done):
                yield record
                done = record.row

    def _records_of(self, name: str, assembler: Assembler, done: int) -> Iterator[Record]:
        path = self.path / name
        try:
            reader = self._reader(path)
        except DataError as error:
            yield from assembler.records(damaged(error.message.rstrip("."), 0, done, name))
            return
        read = arrow_records if is_arrow(path) else parquet_records
        yield from read(path, reader, assembler, done, name)

    def _reader(self, path: Path) -> CellReader:
        schema = schema_of(path)
        missing = set(self._columns.values()) - set(schema.names)
        if missing:
            raise DataError(f"{path} has no column {sorted(missing)[0]!r}.")
        return CellReader(path, self.root, self._columns, schema)


def is_arrow(path: Path) -> bool:
    """Tell an Arrow file from a Parquet file by its suffix."""
    return path.suffix.lower() == ".arrow"


def schema_of(path: Path) -> Any:
    """Return the Arrow schema of a data file.

    Raises:
        DataError: It cannot be read.
    """
    if is_arrow(path):
        file = ArrowFile(path)
        try:
            return file.schema
        finally:
            file.close()
    with open_parquet(path) as parquet:
        return parquet.schema_arrow

"""Open a table by its suffix: CSV, TSV, JSON Lines or Parquet."""

from pathlib import Path

from forensics.data.delimited import DelimitedTable
from forensics.data.fields import FieldMap
from forensics.data.jsonlines import JsonLinesTable
from forensics.data.records import FileDataset, Turns
from forensics.errors import DataError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


def open_table(
    path: Path, uri: str, root: Path, fields: FieldMap | None = None, turns: Turns = "first"
) -> FileDataset:
    """Open a table with an image column.

    Raises:
        DataError: The suffix is unknown, or the file cannot be read as what it says.
    """
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return DelimitedTable(path, uri, root, fields, turns)
    if suffix == ".jsonl":
        return JsonLinesTable(path, uri, root, fields, turns)
    if suffix == ".parquet":
        from forensics.data.parquet import ParquetTable  # pyarrow is slow to import

        return ParquetTable(path, uri, root, fields, turns)
    raise DataError(
        f"{path} has the suffix '{path.suffix}'.", remedy=f"A table has {', '.join(SUFFIXES)}."
    )

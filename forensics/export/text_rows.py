"""Write kept rows of a text format exactly as they stood in the original."""

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from forensics.data.delimited import DelimitedTable
from forensics.data.llava import LlavaDataset
from forensics.data.records import FileDataset, Raw


def write_text_rows(dataset: FileDataset, kept: Iterator[Raw], path: Path) -> None:
    """Write the text of the kept rows: a JSON list, lines, or lines below their header.

    Args:
        dataset: Where the rows come from; says how they are held together.
        kept: The text of each row as it stood in the file.
        path: Where to write.
    """
    rows = (str(raw) for raw in kept)
    # The counterpart of how the readers decode: what was read is written back byte for byte.
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        if isinstance(dataset, LlavaDataset) and not dataset.has_lines:
            _write_list(rows, stream)
            return
        if isinstance(dataset, DelimitedTable):
            stream.write(_ended(dataset.header))
        stream.writelines(_ended(row) for row in rows)


def _write_list(rows: Iterator[str], stream: TextIO) -> None:
    stream.write("[")
    separator = "\n"
    for row in rows:
        stream.write(separator + row)
        separator = ",\n"
    stream.write("\n]\n")


def _ended(row: str) -> str:
    """Return the row with a line ending; the last line of a file may have none."""
    return row if row.endswith(("\n", "\r")) else row + "\n"

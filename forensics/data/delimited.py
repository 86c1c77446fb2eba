"""Read CSV and TSV tables with an image column, row by row."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics.data.assemble import Assembler
from forensics.data.fields import FieldMap, find_columns
from forensics.data.records import BadRow, Draft, FileDataset, Record, Turns
from forensics.data.textfile import MAX_LINE_CHARACTERS, Line, check_text, read_lines
from forensics.errors import DataError

# A quote that is never closed would otherwise swallow the rest of the file.
MAX_LINES_PER_ROW = 1000
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Row:
    """A logical row: first physical line, unchanged text, and cells or what is wrong."""

    line: int
    raw: str
    cells: list[str]
    problem: BadRow | None = None


class DelimitedTable(FileDataset):
    """Stream a CSV or TSV table whose first row names the columns.

    Args:
        path: The ``.csv`` or ``.tsv`` file, absolute.
        uri: How the user names it, scheme included.
        root: Folder that every image stays under.
        fields: Columns that the user named.
        turns: Which turns of a conversation are samples.

    Attributes:
        header: The first row as it stands in the file.

    Raises:
        DataError: The file is missing, empty, no text, or has no image column.
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
        check_text(path)
        first = next(self._rows(), None)
        if first is None or first.problem:
            reason = first.problem.reason if first and first.problem else "it is blank"
            raise DataError(f"{path}: the row of column names cannot be read: {reason}.")
        self.header = first.raw
        self._width = len(first.cells)
        columns = find_columns(first.cells, fields, path.name)
        self._places = {field: first.cells.index(column) for field, column in columns.items()}

    def records(self) -> Iterator[Record]:
        """Yield every row below the header in file order, with its text."""
        assembler = Assembler(self.path.name, self.path.stem, self.root, self.turns)
        rows = self._rows()
        next(rows)
        for number, row in enumerate(rows, start=1):
            yield from assembler.records(self._draft(row, number))

    def _rows(self) -> Iterator[Row]:
        return split_rows(read_lines(self.path), _DELIMITERS[self.path.suffix.lower()])

    def _draft(self, row: Row, number: int) -> Draft:
        problem = row.problem
        cells: dict[str, object] = {}
        if problem is None and len(row.cells) != self._width:
            problem = BadRow(
                f"{len(row.cells)} cells where the header has {self._width}",
                "Put cells that hold the separator in double quotes.",
            )
        if problem is None:
            # An empty cell is an absent one: the format cannot tell them apart.
            cells = {field: row.cells[place] or None for field, place in self._places.items()}
        return Draft(line=row.line, row=number, raw=row.raw, cells=cells, problem=problem)


class _Tape:
    """Feed physical lines to the csv module and remember which ones made the current row."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self.taken: list[Line] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MAX_LINES_PER_ROW:
            raise StopIteration  # csv then reports the open quote
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        if line.is_cut:
            raise BadRow(f"the line is longer than {MAX_LINE_CHARACTERS:,} characters")
        return line.text

    def give_back(self) -> None:
        """Read all but the first line of the current row once more."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def split_rows(lines: Iterator[Line], delimiter: str) -> Iterator[Row]:
    """Yield the rows of delimited text, blank ones left out; a broken row costs only itself."""
    # The limit is one for the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_CHARACTERS))
    tape = _Tape(lines)
    while True:
        reader = csv.reader(tape, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if cells:
                    yield Row(tape.taken[0].number, _text(tape.taken), cells)
                tape.taken.clear()
            return
        except csv.Error as error:
            tape.give_back()
            problem = BadRow(f"not valid CSV: {error}", "Check the double quotes of this row.")
        except BadRow as bad:
            problem = bad
        yield Row(tape.taken[0].number, _text(tape.taken), [], problem)
        tape.taken.clear()


def _text(lines: list[Line]) -> str:
    return "".join(line.text for line in lines)

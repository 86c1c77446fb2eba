"""Read JSON Lines: record by record for LLaVA sets, and as a table with an image column."""

import json
from collections.abc import Iterator
from pathlib import Path

from forensics.data.assemble import Assembler
from forensics.data.fields import FieldMap, find_columns
from forensics.data.json_list import Element
from forensics.data.records import BadRow, Draft, FileDataset, Record, Turns
from forensics.data.textfile import MAX_LINE_CHARACTERS, Line, check_text, read_lines
from forensics.errors import DataError


class JsonLinesTable(FileDataset):
    """Stream a table with one JSON object a line; the first object names the columns.

    Args:
        path: The ``.jsonl`` file, absolute.
        uri: How the user names it, scheme included.
        root: Folder that every image stays under.
        fields: Columns that the user named.
        turns: Which turns of a conversation are samples.

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
        columns = [str(name) for name in first_object(path)]
        self._columns = find_columns(columns, fields, path.name)

    def records(self) -> Iterator[Record]:
        """Yield every line in file order, blank ones left out, with its text."""
        assembler = Assembler(self.path.name, self.path.stem, self.root, self.turns)
        for element in read_json_lines(self.path):
            yield from assembler.records(self._draft(element))

    def _draft(self, element: Element) -> Draft:
        problem = BadRow(element.problem, element.remedy) if element.problem else None
        cells: dict[str, object] = {}
        if isinstance(element.value, dict):
            for field, column in self._columns.items():
                cells[field] = element.value.get(column)
        elif problem is None:
            problem = BadRow(f"the line holds a {type(element.value).__name__}, not an object")
        return Draft(
            line=element.line, row=element.row, raw=element.raw, cells=cells, problem=problem
        )


def read_json_lines(path: Path) -> Iterator[Element]:
    """Yield the record of every line that is not blank; a broken line is reported and skipped.

    Raises:
        DataError: The file is missing, empty, unreadable or no text in UTF-8.
    """
    row = 0
    for line in read_lines(path):
        if line.text.strip():
            row += 1
            yield _parse(line, row)


def first_object(path: Path) -> dict[str, object]:
    """Return the first line that is a JSON object.

    Raises:
        DataError: There is none.
    """
    for element in read_json_lines(path):
        if isinstance(element.value, dict):
            return element.value
    raise DataError(f"{path} has no line that is a JSON object.", remedy="Expected JSON Lines.")


def _parse(line: Line, row: int) -> Element:
    value: object = None
    problem = ""
    if line.is_cut:
        problem = f"the line is longer than {MAX_LINE_CHARACTERS:,} characters"
    else:
        try:
            value = json.loads(line.text)
        except json.JSONDecodeError as error:
            problem = f"not valid JSON: {error.msg} (column {error.colno})"
        except RecursionError:
            problem = "the record is nested too deeply"
        except ValueError as error:
            problem = f"not valid JSON: {error}"
    return Element(line=line.number, row=row, raw=line.text, value=value, problem=problem)

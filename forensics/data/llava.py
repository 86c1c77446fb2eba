"""Read LLaVA fine-tuning sets: a JSON list of conversations, or the same records as JSON Lines."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from forensics.data.assemble import Assembler
from forensics.data.json_list import Element, scan_list
from forensics.data.jsonlines import read_json_lines
from forensics.data.records import BadRow, Draft, FileDataset, Record, Turns
from forensics.data.textfile import check_text, open_text
from forensics.errors import DataError

# Field -> names in order of preference; the second ones are those of other fine-tuning tools.
_NAMES = {
    "id": ("id",),
    "image": ("image", "images"),
    "label": ("label",),
    "poisoned": ("poisoned",),
    "conversations": ("conversations", "messages"),
}


class LlavaDataset(FileDataset):
    """Stream a LLaVA set; of each conversation the first human and gpt turn, or every turn.

    Args:
        path: The ``.json`` or ``.jsonl`` file, absolute.
        uri: How the user names it, scheme included.
        root: Folder that every image stays under.
        turns: Which turns of a conversation are samples.

    Raises:
        DataError: The file is missing, empty, no text, or its top level is not a list.
    """

    format = "llava"

    def __init__(self, path: Path, uri: str, root: Path, turns: Turns = "first") -> None:
        super().__init__(path, uri, root, turns)
        self.has_lines = path.suffix.lower() == ".jsonl"
        head = check_text(path)
        if not self.has_lines and not head.startswith(b"["):
            raise _wrong_top_level(path, head)
        self._counts_rows = not self.has_lines and _is_one_line(path)

    def records(self) -> Iterator[Record]:
        """Yield every record in file order, with its text as it stands in the file."""
        assembler = Assembler(self.path.name, self.path.stem, self.root, self.turns)
        for element in self._elements():
            yield from assembler.records(_draft(element, self._counts_rows))

    def _elements(self) -> Iterator[Element]:
        if self.has_lines:
            yield from read_json_lines(self.path)
            return
        with open_text(self.path) as stream:
            yield from scan_list(stream)


def _is_one_line(path: Path) -> bool:
    with open_text(path) as stream:
        lines = [element.line for element in islice(scan_list(stream), 2)]
    return len(lines) == 2 and lines[0] == lines[1]


def _wrong_top_level(path: Path, head: bytes) -> DataError:
    if not head.startswith(b"{"):
        return DataError(
            f"{path} is not JSON.", remedy="Give a LLaVA file: a JSON list of records."
        )
    first_line, _, rest = head.partition(b"\n")
    try:
        json.loads(first_line)
    except ValueError:
        rest = b""
    remedy = "Give the list of records itself, not an object around it."
    if rest.lstrip().startswith(b"{"):
        remedy = "It has one record a line: give it the suffix .jsonl."
    return DataError(f"{path} holds a JSON object where a list is expected.", remedy=remedy)


def _draft(element: Element, counts_rows: bool) -> Draft:
    problem = BadRow(element.problem, element.remedy) if element.problem else None
    cells: dict[str, object] = {}
    if problem is None:
        try:
            cells.update(_plain_cells(element.value))
        except BadRow as bad:
            problem = bad
    line = element.row if counts_rows else element.line
    return Draft(line=line, row=element.row, raw=element.raw, cells=cells, problem=problem)


def _plain_cells(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadRow(f"the record is a {type(value).__name__}, not an object")
    found: dict[str, object] = {"conversations": None}
    for field, names in _NAMES.items():
        name = next((name for name in names if name in value), None)
        if name is not None:
            found[field] = value[name]
    return found

"""Read LLaVA fine-tuning sets: a JSON list of conversations, or the same records as JSON Lines."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from forensics.data.assemble import Assembler
from forensics.data.json_list import Element, scan_list
from forensics.data.jsonlines import read_json_lines
from forensics.data.records import BadRow, Draft, FileDataset, Record
from forensics.data.textfile import check_text, open_text
from forensics.errors import DataError

_HUMAN = ("human", "user")
_ASSISTANT = ("gpt", "assistant")


class LlavaDataset(FileDataset):
    """Stream a LLaVA set; of each conversation the first human and the first gpt turn.

    Args:
        path: The ``.json`` or ``.jsonl`` file, absolute.
        uri: How the user names it, scheme included.
        root: Folder that every image stays under.

    Raises:
        DataError: The file is missing, empty, no text, or its top level is not a list.
    """

    format = "llava"

    def __init__(self, path: Path, uri: str, root: Path) -> None:
        super().__init__(path, uri, root)
        self.has_lines = path.suffix.lower() == ".jsonl"
        head = check_text(path)
        if not self.has_lines and not head.startswith(b"["):
            raise _wrong_top_level(path, head)
        self._counts_rows = not self.has_lines and _is_one_line(path)

    def records(self) -> Iterator[Record]:
        """Yield every record in file order, with its text as it stands in the file."""
        assembler = Assembler(self.path.name, self.path.stem, self.root)
        for element in self._elements():
            yield assembler.record(_draft(element, self._counts_rows))

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
            cells.update(_turns(cells.get("conversations")))
        except BadRow as bad:
            problem = bad
    line = element.row if counts_rows else element.line
    return Draft(line=line, row=element.row, raw=element.raw, cells=cells, problem=problem)


def _plain_cells(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadRow(f"the record is a {type(value).__name__}, not an object")
    names = ("id", "image", "label", "poisoned", "conversations")
    return {name: value[name] for name in names if name in value}


def _turns(conversations: object) -> dict[str, object]:
    if not isinstance(conversations, list) or not conversations:
        raise BadRow("the record has no conversations", "Expected a list with 'from' and 'value'.")
    return {
        "question": _first_turn(conversations, _HUMAN),
        "answer": _first_turn(conversations, _ASSISTANT),
    }


def _first_turn(conversations: list[object], speakers: tuple[str, ...]) -> str:
    for turn in conversations:
        if isinstance(turn, dict) and turn.get("from") in speakers:
            if isinstance(turn.get("value"), str):
                return str(turn["value"])
            raise BadRow(f"the first {speakers[0]} turn has no text in 'value'")
    raise BadRow(f"the conversation has no {speakers[0]} turn")

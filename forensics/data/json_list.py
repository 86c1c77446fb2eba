"""Scan a JSON list of any size record by record, in constant memory, with line numbers.

The standard decoder does the parsing; this module only keeps a window on the file, finds out
whether a record that does not parse is cut off by the window or really broken, and goes on behind
a broken one.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

BLOCK_CHARACTERS = 1 << 20
MAX_RECORD_CHARACTERS = 16 << 20

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
_SCALAR = re.compile(r"[^,\]\s]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element of the list.

    Attributes:
        line: Line on which it begins, counted from 1.
        row: Position in the list, counted from 1.
        raw: Its text, unchanged.
        value: Its value; ``None`` where ``problem`` is set.
        problem: Why it does not parse; empty if it does.
        remedy: What the user can do about it.
    """

    line: int
    row: int
    raw: str = ""
    value: object = None
    problem: str = ""
    remedy: str = ""


class _Window:
    """The part of the file that is in memory, and the place reached in it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._ended = False
        self.text = ""
        self.position = 0
        self.line = 1

    def grow(self) -> bool:
        """Drop what is behind, read on; tell whether there was anything left to read."""
        if not self._ended:
            rest = self.text[self.position :]
            # Doubling keeps the cost of a long record linear, though it is tried again each time.
            block = self._stream.read(max(BLOCK_CHARACTERS, len(rest)))
            self._ended = not block
            self.text, self.position = rest + block, 0
        return not self._ended

    def advance(self, end: int) -> str:
        """Move to ``end`` and return the text that was passed."""
        passed = self.text[self.position : end]
        self.line += passed.count("\n")
        self.position = end
        return passed

    def peek(self) -> str:
        """Skip white space and return the next character, empty at the end of the file."""
        while True:
            space = _SPACE.match(self.text, self.position)
            self.advance(space.end() if space else self.position)
            if self.position < len(self.text):
                return self.text[self.position]
            if not self.grow():
                return ""


def scan_list(stream: TextIO) -> Iterator[Element]:
    """Yield the elements of a JSON list.

    A broken element is reported and skipped. Where the file ends too early, or a record never
    ends, one last element says so.

    Args:
        stream: Text whose first character that is not white space is ``[``.
    """
    window = _Window(stream)
    window.peek()
    window.advance(window.position + 1)
    row = 0
    while (mark := window.peek()) not in ("]", ""):
        row += 1
        if mark == ",":
            window.advance(window.position + 1)
            yield Element(line=window.line, row=row, problem="nothing stands between two commas")
            continue
        element = _next_element(window, row)
        if element is None:
            yield _unfinished(window.line, row, "the file ends, or a bracket or quote never closes")
            return
        yield element
        if window.peek() == ",":
            window.advance(window.position + 1)
        elif window.peek() not in ("]", ""):
            yield Element(line=window.line, row=row, problem="a comma is missing before this line")
    if mark == "":
        yield _unfinished(window.line, row + 1, "the file ends before the list is closed")
        return
    window.advance(window.position + 1)
    if window.peek():
        problem = "text follows the end of the list; it was not read"
        yield Element(line=window.line, row=row + 1, problem=problem, remedy="Remove it.")


def _next_element(window: _Window, row: int) -> Element | None:
    """Return the element at the window's place, or ``None`` where it has no end."""
    while True:
        value, end, problem = _decode(window.text, window.position)
        is_whole = 0 <= end < len(window.text)
        if not is_whole and len(window.text) - window.position <= MAX_RECORD_CHARACTERS:
            if window.grow():
                continue
            is_whole = end >= 0
        if not is_whole:
            return None
        line = window.line
        raw = window.advance(end)
        return Element(line=line, row=row, raw=raw, value=value, problem=problem)


def _decode(text: str, start: int) -> tuple[object, int, str]:
    """Return value, end and problem; the end is -1 where the text stops inside the element."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        return None, _lexical_end(text, start), "the record is nested too deeply"
    except ValueError as error:  # also whole numbers of more digits than Python converts
        message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return None, _lexical_end(text, start), f"not valid JSON: {message}"
    return value, end, ""


def _lexical_end(text: str, start: int) -> int:
    """Return where the brackets opened at ``start`` are closed again, or -1."""
    if text[start] not in '{["':
        scalar = _SCALAR.match(text, start)
        return max(scalar.end() if scalar else 0, start + 1)
    depth = 0
    for token in _TOKEN.finditer(text, start):
        mark = token.group()
        if mark == '"':  # a string that the text does not close
            return -1
        depth += (mark in "{[") - (mark in "}]")
        if depth == 0:
            return token.end()
    return -1


def _unfinished(line: int, row: int, problem: str) -> Element:
    return Element(
        line=line,
        row=row,
        problem=f"{problem}; the {row - 1:,} records before it were read",
        remedy="The file is damaged or was cut off: copy or download it again.",
    )

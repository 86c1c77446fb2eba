"""Open text files from strangers: recognise what is no text, and never read a line without end."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from forensics.errors import DataError

MAX_LINE_CHARACTERS = 16 << 20
_HEAD_BYTES = 4096

# First bytes -> what the file really is, what to do about it.
_FOREIGN = (
    ((b"\xff\xfe", b"\xfe\xff"), "is UTF-16 text", "Save it as UTF-8."),
    ((b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"), "is compressed", "Unpack it first."),
    ((b"version https://git-lfs",), "is a Git LFS pointer, not the data", "Run `git lfs pull`."),
    ((b"PAR1",), "is a Parquet file", "Give it the suffix .parquet."),
    ((b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), "is an image", "Name the folder that it is in."),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line.

    Attributes:
        number: Counted from 1.
        text: With its own line ending; bytes that are not UTF-8 are escaped as lone surrogates.
        is_cut: Whether the line is longer than ``MAX_LINE_CHARACTERS`` and was shortened.
    """

    number: int
    text: str
    is_cut: bool = False


def check_text(path: Path) -> bytes:
    """Return the first bytes of a text file, byte order mark removed.

    Raises:
        DataError: The file is missing, empty, unreadable or no text in UTF-8.
    """
    head = read_head(path)
    for starts, what, remedy in _FOREIGN:
        if head.startswith(starts):
            raise DataError(f"{path} {what}.", remedy=remedy)
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise DataError(f"{path} is empty.", remedy="Check that it was copied completely.")
    if head[:16].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(
            f"{path} is a web page, not data.",
            remedy="The download gave an error page; open it, and fetch the file again.",
        )
    return head


def read_head(path: Path) -> bytes:
    """Return the first bytes of a regular file.

    Raises:
        DataError: There is no such file, it is no regular file, or it cannot be read.
    """
    try:
        if not path.is_file():  # also keeps a pipe from blocking the open below
            problem = "is not a file" if path.exists() else "does not exist"
            raise DataError(f"{path} {problem}.", remedy="Check the path.")
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def open_text(path: Path) -> TextIO:
    """Open a checked text file so that encoding it again gives the same bytes.

    Line endings are kept, a byte order mark is dropped, and bytes that are not UTF-8 become lone
    surrogates, which the row checks refuse row by row.

    Raises:
        DataError: See :func:`check_text`.
    """
    check_text(path)
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a text file; of an endless line only the start is held in memory.

    Raises:
        DataError: See :func:`check_text`.
    """
    with open_text(path) as stream:
        number = 0
        while text := stream.readline(MAX_LINE_CHARACTERS):
            number += 1
            is_cut = len(text) == MAX_LINE_CHARACTERS and not text.endswith(("\n", "\r"))
            yield Line(number, text, is_cut)
            rest = text
            while is_cut and rest and not rest.endswith(("\n", "\r")):
                rest = stream.readline(MAX_LINE_CHARACTERS)

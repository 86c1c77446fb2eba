"""A row on its way from a file to a sample, and the base of the readers that send it there."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from forensics.data.sample import ImageRef, RowError, Sample
from forensics.errors import DataError

Turns = Literal["first", "each"]
"""Which turns of a conversation are samples: the first (as BYE does), or each."""

Raw = str | int | tuple[tuple[int, int], ...]
"""A row as it stands in its file: text, a row number from 0, or byte spans (first, end)."""

_POISONED = {"true": True, "1": True, "false": False, "0": False}
_SHOWN_CHARACTERS = 80


class BadRow(Exception):
    """Say why a row cannot be used; never leaves the readers.

    Args:
        reason: What is wrong with the row.
        remedy: What the user can do about it.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The unchecked cells of one row.

    Attributes:
        line: Line or row to report, counted from 1.
        row: Position among the rows of the file, counted from 1; bad rows count too.
        raw: The row as it stands in the file (text), its row number from 0 (Parquet, Arrow), or
            the byte spans of its members (tar).
        cells: What the file holds under each field name of a sample, of any type.
        problem: Why the row could not even be taken apart.
        source: The file that the row stands in, where the data set has several.
    """

    line: int
    row: int
    raw: Raw
    cells: Mapping[str, object]
    problem: BadRow | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One checked row, or one turn of it, together with its original.

    Attributes:
        item: The sample, or why there is none.
        raw: The row as it stands in the file; an export writes it back unchanged.
        row: Position among the rows of the file; the turns of one conversation share it.
        poisoned: The ground-truth cell, unread; kept out of ``item`` so no method can see it.
        unread_turns: Later turns of the conversation that were not read.
        images: All images of the row, those of turns that were not read too.
    """

    item: Sample | RowError
    raw: Raw
    row: int
    poisoned: object = None
    unread_turns: int = 0
    images: tuple[ImageRef, ...] = ()


class FileDataset(ABC):
    """Stream the rows of one file or folder; the base of every reader.

    Args:
        path: The file or folder, absolute.
        uri: How the user names it, scheme included.
        root: Folder that every image stays under.
        turns: Which turns of a conversation are samples.
    """

    format: str

    def __init__(self, path: Path, uri: str, root: Path, turns: Turns = "first") -> None:
        self.path = path
        self.uri = uri
        self.root = root
        self.turns = turns

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files that define the data set."""
        return (self.path,)

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Yield every row in file order with its original; the turns of a row one by one."""

    def write(self, kept: Iterator[Record], to: Path) -> None:
        """Write rows in this format; readers of other packages bring it along for exports.

        Args:
            kept: The rows to keep; a file's images are copied beside ``to`` as they are yielded.
            to: A new file where the data set is a file, an empty folder where it is a folder.

        Raises:
            DataError: The format has no writer.
        """
        raise DataError(f"Data of format {self.format!r} cannot be exported.")

    def __iter__(self) -> Iterator[Sample | RowError]:
        """Yield a sample or a row error for every row, in file order."""
        return (record.item for record in self.records())

    def truth(self) -> Mapping[str, bool]:
        """Return id -> poisoned of every readable row that has a ground-truth cell.

        Raises:
            DataError: A ``poisoned`` cell is none of true, false, 0 and 1.
        """
        found: dict[str, bool] = {}
        for record in self.records():
            if isinstance(record.item, Sample):
                value = _read_poisoned(record.item, record.poisoned)
                if value is not None:
                    found[record.item.id] = value
        return found


def shown(value: object) -> str:
    """Return ``value`` quoted for a message: escaped, and cut where it is long."""
    text = value if isinstance(value, str) else str(value)
    return repr(text[:_SHOWN_CHARACTERS]) + ("..." if len(text) > _SHOWN_CHARACTERS else "")


def is_empty(value: object) -> bool:
    """Tell whether a cell holds nothing: null, NaN or blank text."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value != value


def _read_poisoned(sample: Sample, value: object) -> bool | None:
    if is_empty(value):
        return None
    key = str(int(value)) if isinstance(value, float) and value in (0, 1) else str(value)
    try:
        return _POISONED[key.strip().lower()]
    except KeyError:
        raise DataError(
            f"{sample.source}, line {sample.line}: 'poisoned' is {shown(value)}.",
            remedy="Write true, false, 0 or 1, leave it empty, or rename the column.",
        ) from None

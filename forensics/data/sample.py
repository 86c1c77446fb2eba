"""What every data reader yields: a sample, or the reason why a row is not one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """Where an image is, without opening it.

    Attributes:
        root: Folder that the image must stay under.
        path: Path below ``root``, with forward slashes: an image file, or the Parquet file that
            holds the bytes.
        row: Row of the Parquet file, counted from 0; ``None`` for an image file.
        column: Column of the Parquet file; ``None`` for an image file.
    """

    root: Path
    path: str
    row: int | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One question about one image, as the model under suspicion was tuned on it.

    Ground truth (a ``poisoned`` column) is deliberately not part of a sample, so that no method
    can read it; it travels apart, through :meth:`Dataset.truth`.

    Attributes:
        id: Stable, unique within the data set.
        question: First human turn, image tag removed; empty where the format has none.
        answer: What the data set teaches the model to say; ``None`` where the format has none.
        image: The image, unread; ``None`` for a text-only row.
        label: Class label, for classification data.
        source: The file that the row stands in.
        line: Line (text formats) or row (Parquet, JSON arrays on one line) counted from 1.
    """

    id: str
    question: str = ""
    answer: str | None = None
    image: ImageRef | None = None
    label: str | None = None
    source: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """A row that could not be used; the rest of the file goes on.

    Attributes:
        source: The file that the row stands in.
        line: Line or row counted from 1.
        reason: What is wrong with it.
        remedy: What the user can do about it.
        id: The row's id where it has a readable one.
    """

    source: str
    line: int
    reason: str
    remedy: str = ""
    id: str | None = None


class Dataset(Protocol):
    """A data set that streams in a fixed order.

    Attributes:
        uri: How the user names it, scheme included.
        format: ``llava``, ``imagefolder`` or ``table``.
        root: Folder that every image stays under.
    """

    uri: str
    format: str
    root: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files that define it, for content hashes."""
        ...

    def __iter__(self) -> Iterator[Sample | RowError]:
        """Yield rows in file order; a bad row is a :class:`RowError`, never an exception."""
        ...

    def truth(self) -> Mapping[str, bool]:
        """Return id -> poisoned, from the ground-truth column; empty where there is none."""
        ...

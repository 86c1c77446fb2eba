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
        path: Path below ``root``, with forward slashes: an image file, or the Parquet, Arrow or
            tar file that holds the bytes.
        row: Row of a Parquet or Arrow file, counted from 0; else ``None``.
        column: Column of a Parquet or Arrow file; else ``None``.
        item: Place in the cell, counted from 0, where the cell is a list of images.
        offset: First byte of the image in a tar file; else ``None``.
        size: Its bytes in a tar file; else ``None``.
    """

    root: Path
    path: str
    row: int | None = None
    column: str | None = None
    item: int | None = None
    offset: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One question about one or more images, as the model under suspicion was tuned on it.

    Ground truth (a ``poisoned`` column) is deliberately not part of a sample, so that no method
    can read it; it travels apart, through :meth:`Dataset.truth`.

    Attributes:
        id: Stable, unique within the data set.
        question: What the model is asked, image tags removed; empty where the format has none.
        answer: What the data set teaches the model to say; ``None`` where the format has none.
        image: The first image, unread; ``None`` for a text-only row.
        more_images: The images after the first, in the order of their tags.
        history: Earlier (question, answer) turns of the conversation, image tags removed; all
            images are shown in the first turn. Empty unless later turns are read too: such a
            turn is a sample of its own with the id ``<row id>/turn-<k>``, k from 2.
        label: Class label, for classification data.
        source: The file that the row stands in.
        line: Line (text formats) or row (Parquet, JSON arrays on one line) counted from 1.
    """

    id: str
    question: str = ""
    answer: str | None = None
    image: ImageRef | None = None
    more_images: tuple[ImageRef, ...] = ()
    history: tuple[tuple[str, str], ...] = ()
    label: str | None = None
    source: str = ""
    line: int = 0

    @property
    def images(self) -> tuple[ImageRef, ...]:
        """All images in the order of their tags; empty for a text-only row."""
        return () if self.image is None else (self.image, *self.more_images)

    @property
    def row_id(self) -> str:
        """The id of the row that the sample stands in: its own, without the number of the turn."""
        return self.id.removesuffix(turn_suffix(len(self.history) + 1))


def turn_suffix(turn: int) -> str:
    """Return what turn ``turn``, counted from 1, adds to the id of its row."""
    return "" if turn == 1 else f"/turn-{turn}"


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
        format: ``llava``, ``imagefolder``, ``table``, ``hf-dataset`` or ``wds``.
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

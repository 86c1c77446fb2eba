"""Write a data set without the removed rows, in its own format, so that its reader opens it again.

Text rows and members of shards are byte for byte those of the original; Parquet and Arrow rows have
the same values, schema and metadata; images are copied unchanged. Rows without an id of their own
are numbered anew when the export is opened, since their ids come from their place in the file.
"""

import shutil
from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from forensics.data.imagefolder import ImageFolder
from forensics.data.open import FOLDERS, SCHEMES
from forensics.data.records import FileDataset, Raw, Record
from forensics.data.sample import Dataset, Sample
from forensics.data.webdataset import WebDataset
from forensics.errors import DataError
from forensics.export.atomic import cannot_write, partial_path, whole_file
from forensics.export.pictures import ImageCopier
from forensics.export.shards import write_shards
from forensics.export.text_rows import write_text_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What an export did.

    Attributes:
        kept: Rows written; a conversation of several turns is one row.
        removed: Readable rows left out because an id of theirs was not among those to keep.
        unreadable: Rows left out because the reader reports an error for them; nothing vouches
            for a row that no method has seen.
        path: The file or folder written.
    """

    kept: int
    removed: int
    unreadable: int
    path: Path


class Selection:
    """Pick the rows to keep, copy their images, and count.

    A row goes as a whole: where each turn of a conversation is a sample, the row is left out when
    any of its turns is.
    """

    def __init__(self, dataset: FileDataset, keep: Container[str], copier: ImageCopier | None):
        self._dataset = dataset
        self._keep = keep
        self._copier = copier
        self.kept = self.removed = self.unreadable = 0

    def records(self) -> Iterator[Record]:
        """Yield the kept rows, one record each, after their images have been copied."""
        for _, turns in groupby(self._dataset.records(), key=lambda record: record.row):
            record = self._decide(list(turns))
            if record is not None:
                yield record

    def rows(self) -> Iterator[Raw]:
        """Yield the originals of the kept rows."""
        return (record.raw for record in self.records())

    def result(self, to: Path) -> ExportResult:
        """Return the counts."""
        return ExportResult(
            kept=self.kept, removed=self.removed, unreadable=self.unreadable, path=to
        )

    def _decide(self, turns: list[Record]) -> Record | None:
        samples = [record.item for record in turns if isinstance(record.item, Sample)]
        if len(samples) < len(turns):
            self.unreadable += 1
            return None
        if not all(sample.id in self._keep for sample in samples):
            self.removed += 1
            return None
        self.kept += 1
        if self._copier is not None:
            for image in turns[0].images:
                self._copier.copy(image)
        return turns[0]


def export_dataset(
    dataset: Dataset,
    keep: Container[str],
    to: Path,
    *,
    images: Literal["copy", "none"] = "copy",
    overwrite: bool = False,
) -> ExportResult:
    """Write the rows of ``dataset`` whose ids are in ``keep``, and never change the original.

    Args:
        dataset: A data set from :func:`~forensics.data.open.open_dataset`.
        keep: Ids to keep; a set, or anything that answers ``in`` quickly.
        to: The file, with the suffix of the original; or a folder for an image folder, a data set
            of the ``datasets`` library and WebDataset shards.
        images: ``copy`` puts the images that kept rows name beside the file, under the same
            relative paths; ``none`` writes the file only, which then opens with ``root=`` set to
            the folder of the original images. What is exported to a folder is always copied.
        overwrite: Whether a file that is already there may be replaced. A folder with something
            in it and images that differ are never replaced.

    Raises:
        DataError: ``to`` is part of the original, exists, has another suffix, or cannot be
            written; what was copied until then is removed again.
    """
    if not isinstance(dataset, FileDataset):
        raise DataError(f"Data of format '{dataset.format}' cannot be exported.")
    to = to.absolute()
    try:
        if not _is_file(dataset):
            return _export_folder(dataset, keep, to)
        return _export_file(dataset, keep, to, images=images, overwrite=overwrite)
    except OSError as error:
        raise cannot_write(to, error) from error


def _export_file(
    dataset: FileDataset, keep: Container[str], to: Path, *, images: str, overwrite: bool
) -> ExportResult:
    if to.suffix.lower() != dataset.path.suffix.lower():
        raise DataError(
            f"{to} has another suffix than the data set.",
            remedy=f"An export keeps the format: use '{dataset.path.suffix}'.",
        )
    if to.resolve() == dataset.path.resolve():
        raise DataError(f"{to} is the data set itself.", remedy="Choose another name.")
    copier = ImageCopier(to.parent) if images == "copy" else None
    selection = Selection(dataset, keep, copier)
    try:
        # The file comes last, so that it never names an image that is not there.
        with whole_file(to, overwrite=overwrite) as partial:
            _write_rows(dataset, selection, partial)
    except BaseException:
        if copier is not None:
            copier.undo()
        raise
    return selection.result(to)


def _write_rows(dataset: FileDataset, selection: Selection, path: Path) -> None:
    if dataset.format not in SCHEMES:
        dataset.write(selection.records(), path)
    elif dataset.path.suffix.lower() != ".parquet":
        write_text_rows(dataset, selection.rows(), path)
    else:
        from forensics.export.parquet_rows import write_parquet_rows  # pyarrow is slow to import

        write_parquet_rows(dataset.path, selection.rows(), path)


def _is_file(dataset: FileDataset) -> bool:
    return dataset.format not in FOLDERS and not dataset.path.is_dir()


def _export_folder(dataset: FileDataset, keep: Container[str], to: Path) -> ExportResult:
    inside, source = to.resolve(), dataset.path.resolve()
    if inside.is_relative_to(source) or source.is_relative_to(inside):
        raise DataError(f"{to} overlaps with the data set.", remedy="Choose a folder elsewhere.")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise DataError(f"{to} already exists.", remedy="Name a new or an empty folder.")
    partial = partial_path(to)
    partial.mkdir(parents=True)
    try:
        selection = Selection(dataset, keep, ImageCopier(partial))
        _write_folder(dataset, selection, partial)
        partial.replace(to)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return selection.result(to)


def _write_folder(dataset: FileDataset, selection: Selection, folder: Path) -> None:
    if isinstance(dataset, WebDataset):
        write_shards(dataset, selection.records(), folder)
    elif isinstance(dataset, ImageFolder):
        for _ in selection.records():
            pass  # every step copies one image
    elif dataset.format not in SCHEMES:
        dataset.write(selection.records(), folder)
    else:
        from forensics.export.hf_dataset import write_hf_dataset  # pyarrow is slow to import

        write_hf_dataset(dataset, selection.records(), folder)

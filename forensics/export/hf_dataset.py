"""Write a data set of the ``datasets`` library without the removed rows, in the same layout."""

import hashlib
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from forensics.data.arrow_cells import BATCH_ROWS, DAMAGED
from forensics.data.arrow_file import ArrowFile, checked
from forensics.data.hf_dataset import HfDataset, is_arrow, schema_of
from forensics.data.hf_files import read_note
from forensics.data.records import FileDataset, Raw, Record
from forensics.errors import DataError, first_line
from forensics.export.parquet_rows import write_parquet_rows

# What dataset_info.json says of files that are not these any more.
_STALE = (
    *("splits", "download_checksums", "download_size", "post_processing_size"),
    *("dataset_size", "size_in_bytes"),
)


def write_hf_dataset(dataset: FileDataset, kept: Iterator[Record], folder: Path) -> None:
    """Write every data file under its own name, an empty one too, and what describes them.

    Args:
        dataset: An :class:`~forensics.data.hf_dataset.HfDataset`.
        kept: The rows to copy, in the order of the data set.
        folder: Where to write.

    Raises:
        DataError: A part of the original that the reader did not look at is damaged.
    """
    assert isinstance(dataset, HfDataset)
    digest = hashlib.sha256(dataset.uri.encode("utf-8", "surrogateescape"))
    written = set()
    for name, records in groupby(kept, key=lambda record: record.item.source):
        rows = [record.raw for record in records]
        digest.update(f"{name} {rows}".encode("utf-8", "surrogateescape"))
        _write_file(dataset.path / name, iter(rows), folder / name)
        written.add(name)
    for name in dataset.split.data:
        if name not in written and _is_readable(dataset.path / name):
            _write_file(dataset.path / name, iter(()), folder / name)
    _write_notes(dataset, folder, digest.hexdigest()[:16])


def _is_readable(path: Path) -> bool:
    """Tell whether an empty file can be written in the place of one without any kept row."""
    try:
        schema_of(path)
    except DataError:
        return False  # its rows were counted as unreadable
    return True


def _write_file(source: Path, rows: Iterator[Raw], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_arrow(source):
        _write_arrow_rows(source, rows, path)
    else:
        write_parquet_rows(source, rows, path)


def _write_arrow_rows(source: Path, rows: Iterator[Raw], path: Path) -> None:
    file = ArrowFile(source)
    try:
        # The stream layout, which the library writes itself, whatever the original has.
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, file.schema) as writer:
            for batch in _kept_batches(file, rows):
                writer.write_batch(batch)
    except DAMAGED as error:
        if isinstance(error, OSError):
            raise
        raise DataError(
            f"{source} is damaged: {first_line(error)}.", remedy="Copy or download it again."
        ) from error
    finally:
        file.close()


def _kept_batches(file: ArrowFile, rows: Iterator[Raw]) -> Iterator[Any]:
    start, wanted = 0, next(rows, None)
    for batch in file.batches():
        if wanted is None:
            return  # what follows may be damaged, and nobody needs it
        places: list[int] = []
        while isinstance(wanted, int) and wanted < start + batch.num_rows:
            places.append(wanted - start)
            wanted = next(rows, None)
        if places:
            whole = checked(batch, file.schema.names)
            for first in range(0, len(places), BATCH_ROWS):
                yield whole.take(pa.array(places[first : first + BATCH_ROWS], pa.int64()))
        start += batch.num_rows


def _write_notes(dataset: HfDataset, folder: Path, fingerprint: str) -> None:
    present = [name for name in dataset.split.data if (folder / name).exists()]
    for name in dataset.split.notes:
        note = read_note(dataset.path / name)
        if name == "dataset_dict.json":
            note = {"splits": [dataset.split.split]}  # the one that was read
        elif name.endswith("state.json"):
            below = dataset.split.folder or "."
            files = [{"filename": Path(data).relative_to(below).as_posix()} for data in present]
            note |= {"_data_files": files, "_fingerprint": fingerprint}
        else:
            note = {key: value for key, value in note.items() if key not in _STALE}
        (folder / name).write_text(json.dumps(note, indent=2), encoding="utf-8")

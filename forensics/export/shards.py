"""Write WebDataset shards without the removed samples: members are copied, headers included."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from forensics.data.records import Record
from forensics.data.tar_members import BLOCK
from forensics.data.webdataset import WebDataset
from forensics.errors import DataError

_CHUNK_BYTES = 4 << 20
_RECORD_BYTES = 20 * BLOCK  # tar files are filled up to whole records


def write_shards(dataset: WebDataset, kept: Iterator[Record], folder: Path) -> None:
    """Write every shard under its own name, an empty one too, so that keys keep their meaning.

    Args:
        dataset: Where the samples come from.
        kept: The samples to copy, in the order of the data set.
        folder: Where to write.

    Raises:
        DataError: A shard was changed since it was read.
    """
    for name, records in groupby(kept, key=lambda record: record.item.source):
        with (dataset.root / name).open("rb") as source, (folder / name).open("wb") as target:
            for record in records:
                assert isinstance(record.raw, tuple)
                for start, end in record.raw:
                    _copy(source, target, start, end)
            _finish(target)
    for shard in dataset.shards:
        if not (folder / shard.name).exists():
            with (folder / shard.name).open("wb") as target:
                _finish(target)


def _copy(source: BinaryIO, target: BinaryIO, start: int, end: int) -> None:
    source.seek(start)
    left = end - start
    while left:
        chunk = source.read(min(left, _CHUNK_BYTES))
        if not chunk:
            raise DataError("A shard was changed while it was read.", remedy="Export again.")
        target.write(chunk)
        left -= len(chunk)


def _finish(target: BinaryIO) -> None:
    end = target.tell() + 2 * BLOCK
    target.write(bytes(2 * BLOCK + -end % _RECORD_BYTES))

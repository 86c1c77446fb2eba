"""Write kept rows of a Parquet table with the schema, metadata and compression of the original."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forensics.data.arrow_cells import BATCH_ROWS
from forensics.data.parquet import open_parquet
from forensics.data.records import Raw
from forensics.errors import DataError

_GROUP_ROWS = 10_000
_GROUP_BYTES = 64 << 20


def write_parquet_rows(source: Path, kept: Iterator[Raw], path: Path) -> None:
    """Copy the kept rows of a Parquet file.

    Args:
        source: The original file.
        kept: Row numbers to copy, counted from 0, rising.
        path: Where to write.

    Raises:
        DataError: A part of the original that the reader did not look at is damaged.
    """
    try:
        with open_parquet(source) as file:
            _copy_rows(file, (raw for raw in kept if isinstance(raw, int)), path)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(
            f"{source} is damaged: {str(error).splitlines()[0]}.",
            remedy="Copy or download the file again.",
        ) from error


def _copy_rows(file: Any, kept: Iterator[int], path: Path) -> None:
    schema = file.schema_arrow
    with pq.ParquetWriter(path, schema, compression=_compression(file)) as writer:
        group: list[Any] = []
        for batch in _kept_batches(file, kept):
            group.append(batch)
            if _is_full(group):
                writer.write_table(pa.Table.from_batches(group, schema))
                group = []
        if group:
            writer.write_table(pa.Table.from_batches(group, schema))


def _kept_batches(file: Any, kept: Iterator[int]) -> Iterator[Any]:
    """Yield the kept rows batch by batch; a row group without any is not read at all."""
    start = 0
    wanted = next(kept, None)
    for number in range(file.num_row_groups):
        end = start + file.metadata.row_group(number).num_rows
        if wanted is not None and wanted < end:
            for batch in file.iter_batches(BATCH_ROWS, row_groups=[number]):
                places: list[int] = []
                while wanted is not None and wanted < start + batch.num_rows:
                    places.append(wanted - start)
                    wanted = next(kept, None)
                if places:
                    yield batch.take(pa.array(places, pa.int64()))
                start += batch.num_rows
                if wanted is None or wanted >= end:
                    break  # what follows may be damaged, and nobody needs it
        start = end


def _is_full(group: list[Any]) -> bool:
    rows = sum(batch.num_rows for batch in group)
    return rows >= _GROUP_ROWS or int(sum(batch.nbytes for batch in group)) >= _GROUP_BYTES


def _compression(file: Any) -> str:
    if not file.num_row_groups or not file.metadata.num_columns:
        return "snappy"
    name = str(file.metadata.row_group(0).column(0).compression)
    return "NONE" if name == "UNCOMPRESSED" else name

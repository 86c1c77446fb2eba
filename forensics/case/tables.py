"""The frozen data set: a case's three Parquet tables, written while the data stream by."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from forensics.data.records import FileDataset, Record
from forensics.data.sample import ImageRef, RowError, Sample
from forensics.errors import CaseError

ROWS_PER_GROUP = 1024

_FIRST_COLUMNS = [
    ("id", pa.string()),
    ("question", pa.string()),
    ("answer", pa.string()),
    ("label", pa.string()),
    ("image", pa.string()),
    ("image_row", pa.int64()),
    ("image_column", pa.string()),
    ("source", pa.string()),
    ("line", pa.int64()),
]
# Where an image is, as in ImageRef; the first one has columns of its own, as it always had.
_PLACES = [("item", pa.int64()), ("offset", pa.int64()), ("size", pa.int64())]
_IMAGE = pa.struct([("path", pa.string()), ("row", pa.int64()), ("column", pa.string()), *_PLACES])
PLACE = tuple(field.name for field in _IMAGE)
_TURN = pa.struct([("question", pa.string()), ("answer", pa.string())])

CATALOG_SCHEMA = pa.schema(
    [
        *_FIRST_COLUMNS,
        *((f"image_{name}", kind) for name, kind in _PLACES),
        ("more_images", pa.list_(_IMAGE)),
        ("history", pa.list_(_TURN)),
    ]
)
# Cases made before rows had several images and turns; they still open.
OLD_CATALOG_SCHEMA = pa.schema(_FIRST_COLUMNS)
ERROR_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("line", pa.int64()),
        ("id", pa.string()),
        ("reason", pa.string()),
        ("remedy", pa.string()),
    ]
)
TRUTH_SCHEMA = pa.schema([("id", pa.string()), ("poisoned", pa.bool_())])


class TableWriter:
    """Writes rows to a Parquet file, one row group in memory at a time.

    Args:
        path: The file.
        schema: Its columns.
    """

    def __init__(self, path: Path, schema: Any) -> None:
        self.count = 0
        self._schema = schema
        self._rows: list[dict[str, Any]] = []
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        self._rows.append({name: _clean(value) for name, value in row.items()})
        self.count += 1
        if len(self._rows) == ROWS_PER_GROUP:
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a data set gave.

    Attributes:
        samples: Usable rows, or turns of rows.
        errors: Rows in error.
        unread_rows: Usable rows with later turns that were not read.
    """

    samples: int
    errors: int
    unread_rows: int


def freeze(
    folder: Path, dataset: FileDataset, report: Callable[[str, int, int], None] | None = None
) -> Counts:
    """Write a data set into ``catalog.parquet``, ``errors.parquet`` and ``truth.parquet``.

    Ground truth goes into a table of its own, which no method opens.

    Args:
        folder: The case.
        dataset: What to freeze; it is read twice.
        report: Told of the rows every so often.

    Raises:
        CaseError: No row is usable.
        DataError: The file cannot be read, or a ground-truth cell makes no sense.
    """
    with (
        TableWriter(folder / "catalog.parquet", CATALOG_SCHEMA) as catalog,
        TableWriter(folder / "errors.parquet", ERROR_SCHEMA) as errors,
    ):
        unread = 0
        for record in _reported(dataset.records(), report):
            unread += bool(record.unread_turns)
            if isinstance(record.item, Sample):
                catalog.add(_catalog_row(record.item, dataset.root))
            else:
                errors.add(_error_row(record.item))
    if not catalog.count:
        raise _nothing_usable(dataset, read_errors(folder / "errors.parquet", 0, 1), errors.count)
    with TableWriter(folder / "truth.parquet", TRUTH_SCHEMA) as truth:
        for name, poisoned in dataset.truth().items():
            truth.add({"id": name, "poisoned": bool(poisoned)})
    return Counts(samples=catalog.count, errors=errors.count, unread_rows=unread)


def read_errors(path: Path, start: int, stop: int) -> list[RowError]:
    """Read rows of an error table."""
    table = pq.read_table(path).slice(start, max(0, stop - start))
    return [RowError(**row) for row in table.to_pylist()]


def _reported(
    records: Iterable[Record], report: Callable[[str, int, int], None] | None
) -> Iterator[Record]:
    for count, record in enumerate(records):
        if report is not None and count % ROWS_PER_GROUP == 0:
            report("Reading the data", count, 0)
        yield record


def _catalog_row(sample: Sample, root: Path) -> dict[str, Any]:
    first = _place(sample.image, root)
    return {
        "id": sample.id,
        "question": sample.question,
        "answer": sample.answer,
        "label": sample.label,
        "image": first.pop("path"),
        **{f"image_{name}": value for name, value in first.items()},
        "source": sample.source,
        "line": sample.line,
        "more_images": [_place(image, root) for image in sample.more_images],
        "history": [{"question": asked, "answer": given} for asked, given in sample.history],
    }


def _place(image: ImageRef | None, root: Path) -> dict[str, Any]:
    if image is not None and image.root != root:
        raise CaseError(f"Image {image.path!r} is not told from the root {root}.")
    return {name: getattr(image, name, None) for name in PLACE}


def _error_row(error: RowError) -> dict[str, Any]:
    return {
        "source": error.source,
        "line": error.line,
        "id": error.id,
        "reason": error.reason,
        "remedy": error.remedy,
    }


def _clean(value: Any) -> Any:
    """Write bytes of a file name that are no text so that they can be stored and shown."""
    if isinstance(value, list):
        return [_clean(part) for part in value]
    if isinstance(value, dict):
        return {name: _clean(part) for name, part in value.items()}
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _nothing_usable(dataset: FileDataset, first: list[RowError], count: int) -> CaseError:
    if not first:
        return CaseError(f"{dataset.uri} holds no rows.", remedy="Check the path and the format.")
    where = f"{first[0].source}, line {first[0].line}"
    return CaseError(
        f"None of the {count:,} rows of {dataset.uri} can be used. First: {where}: "
        f"{first[0].reason}.",
        remedy=first[0].remedy,
    )

"""Read Parquet tables whose image column holds paths, bytes, or Hugging Face ``{bytes, path}``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from forensics.data.assemble import Assembler
from forensics.data.fields import FieldMap, find_columns
from forensics.data.records import BadRow, Draft, FileDataset, Record, Turns
from forensics.data.sample import ImageRef
from forensics.data.textfile import read_head
from forensics.errors import DataError

# ValueError: pyarrow decodes column names itself, and damaged ones are not UTF-8.
DAMAGED = (pa.ArrowException, OSError, ValueError)
BATCH_ROWS = 64  # cells may hold whole images, so few are in memory at a time


class ParquetTable(FileDataset):
    """Stream a Parquet table row group by row group.

    A damaged row group is reported once and passed over; the next one is read.

    Args:
        path: The ``.parquet`` file, absolute.
        uri: How the user names it, scheme included.
        root: Folder that every image stays under; holds the file itself if images are in cells.
        fields: Columns that the user named.
        turns: Which turns of a conversation are samples.

    Raises:
        DataError: The file is missing or damaged, or has no usable image column.
    """

    format = "table"

    def __init__(
        self,
        path: Path,
        uri: str,
        root: Path,
        fields: FieldMap | None = None,
        turns: Turns = "first",
    ) -> None:
        super().__init__(path, uri, root, turns)
        with open_parquet(path) as file:
            schema = file.schema_arrow
        self.columns = find_columns(schema.names, fields, path.name)
        self._holds_images = _holds_bytes(schema.field(self.columns["image"]).type, path)
        if self._holds_images and not path.is_relative_to(root):
            raise DataError(
                f"{path} holds the images but is not under {root}.",
                remedy="Leave the image folder out, or name one that the file lies in.",
            )

    def records(self) -> Iterator[Record]:
        """Yield every row in file order; its original is the row number from 0."""
        assembler = Assembler(self.path.name, self.path.stem, self.root, self.turns)
        names = sorted(set(self.columns.values()))
        with open_parquet(self.path) as file:
            row = 0
            for group in range(file.num_row_groups):
                end = row + file.metadata.row_group(group).num_rows
                try:
                    for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
                        for cells in self._cells(batch, row):
                            row += 1
                            yield from assembler.records(
                                Draft(line=row, row=row, raw=row - 1, cells=cells)
                            )
                except DAMAGED as error:
                    reason = f"rows {row + 1} to {end} are damaged: {_first_line(error)}"
                    problem = BadRow(reason, "Copy or download the file again.")
                    yield from assembler.records(
                        Draft(line=row + 1, row=row + 1, raw=row, cells={}, problem=problem)
                    )
                row = end

    def _cells(self, batch: Any, first_row: int) -> Iterator[dict[str, object]]:
        columns = {
            field: _values(batch.column(column))
            for field, column in self.columns.items()
            if field != "image"
        }
        columns["image"] = self._images(batch.column(self.columns["image"]), first_row)
        for place in range(batch.num_rows):
            yield {field: values[place] for field, values in columns.items()}

    def _images(self, column: Any, first_row: int) -> list[object]:
        if not self._holds_images:
            return _values(column)
        lengths, paths = _split_images(column)
        return [
            self._image(length, path, first_row + place)
            for place, (length, path) in enumerate(zip(lengths, paths, strict=True))
        ]

    def _image(self, length: int | None, path: object, row: int) -> object:
        if length is None:
            return path
        if length == 0:
            return BadRow("the image cell is empty")
        name = self.path.relative_to(self.root).as_posix()
        return ImageRef(root=self.root, path=name, row=row, column=self.columns["image"])


def open_parquet(path: Path) -> Any:
    """Open a Parquet file for streaming.

    Raises:
        DataError: It is missing, damaged, or something else.
    """
    head = read_head(path)
    if not head.startswith(b"PAR1"):
        what = "is not a Parquet file" if head else "is empty"
        raise DataError(f"{path} {what}.", remedy="Check that it was copied completely.")
    try:
        # Without read-ahead of whole column chunks: those may be gigabytes of images.
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
        _ = file.schema_arrow.names  # damage shows only when they are asked for
        return file
    except DAMAGED as error:
        raise DataError(
            f"{path} cannot be read as Parquet: {_first_line(error)}.",
            remedy="It may be cut off: copy or download it again.",
        ) from error


def _holds_bytes(kind: Any, path: Path) -> bool:
    if pa.types.is_struct(kind):
        names = [kind.field(place).name for place in range(kind.num_fields)]
        if "bytes" in names or "path" in names:
            return True
    if _is_binary(kind):
        return True
    if _is_text(kind) or pa.types.is_dictionary(kind) or pa.types.is_null(kind):
        return False
    raise DataError(
        f"{path}: the image column is of type {kind}.",
        remedy="Expected a path, the bytes of an image file, or a struct of bytes and path.",
    )


def _split_images(column: Any) -> tuple[list[int | None], list[object]]:
    """Return byte lengths and paths of image cells; ``None`` where a cell has no such part."""
    nothing: list[Any] = [None] * len(column)
    if not pa.types.is_struct(column.type):
        return pc.binary_length(column).to_pylist(), nothing
    parts = {column.type.field(place).name for place in range(column.type.num_fields)}
    lengths = paths = nothing
    if "bytes" in parts:
        lengths = pc.binary_length(pc.struct_field(column, "bytes")).to_pylist()
    if "path" in parts:
        paths = _values(pc.struct_field(column, "path"))
    return lengths, paths


def _values(column: Any) -> list[object]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not _is_text(column.type):
        return list(column.to_pylist())
    # By way of bytes: one cell that is not UTF-8 must not cost the others.
    cells = column.cast(pa.large_binary()).to_pylist()
    return [cell if cell is None else cell.decode("utf-8", "surrogateescape") for cell in cells]


def _is_text(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _is_binary(kind: Any) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]

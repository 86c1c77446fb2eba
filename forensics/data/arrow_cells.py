"""Take Arrow batches apart into the cells of rows; images become references, never bytes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics.data.records import BadRow
from forensics.data.sample import ImageRef
from forensics.errors import DataError

# ValueError: pyarrow decodes column names itself, and damaged ones are not UTF-8.
DAMAGED = (pa.ArrowException, OSError, ValueError)
BATCH_ROWS = 64  # cells may hold whole images, so few are in memory at a time


class CellReader:
    """Read the cells of one Parquet or Arrow file batch by batch.

    Args:
        path: The file.
        root: Folder that every image stays under; holds the file itself if images are in cells.
        columns: Field -> column.
        schema: Arrow schema of the file.

    Raises:
        DataError: The image column can hold no image, or the file is not under the root.
    """

    def __init__(self, path: Path, root: Path, columns: Mapping[str, str], schema: Any) -> None:
        self._root = root
        self._columns = columns
        self.names = sorted(set(columns.values()))
        kind = schema.field(columns["image"]).type
        self._is_list = is_list(kind)
        self._holds_images = _holds_bytes(kind.value_type if self._is_list else kind, path)
        self._name = ""
        if self._holds_images:
            if not path.is_relative_to(root):
                raise DataError(
                    f"{path} holds the images but is not under {root}.",
                    remedy="Leave the image folder out, or name one that the file lies in.",
                )
            self._name = path.relative_to(root).as_posix()

    def rows(self, batch: Any, first_row: int) -> Iterator[dict[str, object]]:
        """Yield field -> cell of every row of a batch; ``first_row`` counts from 0."""
        columns = {
            field: cell_values(batch.column(column))
            for field, column in self._columns.items()
            if field != "image"
        }
        columns["image"] = self._images(batch.column(self._columns["image"]), first_row)
        for place in range(batch.num_rows):
            yield {field: values[place] for field, values in columns.items()}

    def _images(self, column: Any, first_row: int) -> list[object]:
        if not self._holds_images:
            return cell_values(column)
        if self._is_list:
            return self._image_lists(column, first_row)
        return [
            self._image(length, path, first_row + place)
            for place, (length, path) in enumerate(_split_images(column))
        ]

    def _image_lists(self, column: Any, first_row: int) -> list[object]:
        """Return a list of images a row, each told by its place in the cell."""
        parts = _split_images(column.flatten())
        found: list[object] = []
        for place, count in enumerate(pc.list_value_length(column).to_pylist()):
            cell = [next(parts) for _ in range(count or 0)]
            found.append([
                self._image(length, path, first_row + place, item)
                for item, (length, path) in enumerate(cell)
            ])  # fmt: skip
        return found

    def _image(self, length: int | None, path: object, row: int, item: int | None = None) -> object:
        if length is None:
            return path
        if length == 0:
            return BadRow("the image cell is empty")
        column = self._columns["image"]
        return ImageRef(root=self._root, path=self._name, row=row, column=column, item=item)


def cell_values(column: Any) -> list[object]:
    """Return the cells of a column as Python values; text that is not UTF-8 is escaped."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not _is_text(column.type):
        return _nested_values(column)
    # By way of bytes: one cell that is not UTF-8 must not cost the others.
    cells = column.cast(pa.large_binary()).to_pylist()
    return [cell if cell is None else cell.decode("utf-8", "surrogateescape") for cell in cells]


def _nested_values(column: Any) -> list[object]:
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_one_value(cell) for cell in column]


def _one_value(cell: Any) -> object:
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return "\udcff"  # refused later as text that is not UTF-8


def is_list(kind: Any) -> bool:
    """Tell whether an Arrow type holds lists."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


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
        remedy="Expected a path, the bytes of an image file, a struct of both, or a list of them.",
    )


def _split_images(column: Any) -> Iterator[tuple[int | None, object]]:
    """Yield byte length and path of image cells; ``None`` where a cell has no such part."""
    lengths: list[int | None] = [None] * len(column)
    paths: list[object] = [None] * len(column)
    if not pa.types.is_struct(column.type):
        lengths = pc.binary_length(column).to_pylist()
    else:
        parts = {column.type.field(place).name for place in range(column.type.num_fields)}
        if "bytes" in parts:
            lengths = pc.binary_length(pc.struct_field(column, "bytes")).to_pylist()
        if "path" in parts:
            paths = cell_values(pc.struct_field(column, "path"))
    return zip(lengths, paths, strict=True)


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

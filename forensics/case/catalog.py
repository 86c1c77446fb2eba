"""The frozen rows of a case, read back a row group at a time."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case.tables import CATALOG_SCHEMA, OLD_CATALOG_SCHEMA, PLACE
from forensics.data.sample import ImageRef, Sample
from forensics.errors import CaseError

GROUPS_KEPT = 16  # as tables, which take about a third of what their samples would
_PICTURE_COLUMNS = ("image", "image_row", "image_item", "image_offset")
TEXT_COLUMNS = ("id", "question", "answer", "label", "image", "source")


class Catalog:
    """The samples of a case, in the order of the data set; safe to share between threads.

    Args:
        path: ``catalog.parquet``.
        root: Folder that every image stays under.

    Raises:
        CaseError: The file is missing, damaged or no catalogue.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._root = root
        self._lock = threading.Lock()
        self._groups: OrderedDict[int, pa.Table] = OrderedDict()
        try:
            with pq.ParquetFile(path) as file:
                metadata, schema = file.metadata, file.schema_arrow
        except (OSError, pa.ArrowException) as error:
            raise CaseError(
                f"{path} cannot be read: {error}.", remedy="Make the case anew."
            ) from error
        if not any(schema.equals(known) for known in (CATALOG_SCHEMA, OLD_CATALOG_SCHEMA)):
            raise CaseError(f"{path} is not a catalogue.", remedy="Make the case anew.")
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __iter__(self) -> Iterator[Sample]:
        for group in range(len(self._starts) - 1):
            yield from map(self._sample, self._group(group).to_pylist())

    def samples(self, start: int = 0, stop: int | None = None) -> list[Sample]:
        """Return the rows from ``start`` up to ``stop``, as a slice would."""
        rows = range(*slice(start, stop).indices(len(self)))
        return self.select(rows)

    def select(self, rows: "Sequence[int] | NDArray[np.integer[Any]]") -> list[Sample]:
        """Return rows by number, in the order given.

        Raises:
            CaseError: A number is out of range.
        """
        outside = CaseError(f"The case has rows 0 to {len(self) - 1}.")
        try:
            wanted = np.asarray(rows, dtype=np.int64)
        except OverflowError as error:  # an address may name any number
            raise outside from error
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise outside
        groups = np.searchsorted(self._starts, wanted, side="right") - 1
        found: dict[int, Sample] = {}
        for group in np.unique(groups):
            here, table = np.unique(wanted[groups == group]), self._group(int(group))
            # Slices of neighbours: asking for scattered rows at once makes Arrow import pandas.
            for part in np.split(here, np.flatnonzero(np.diff(here) > 1) + 1):
                rows_read = table.slice(int(part[0] - self._starts[group]), part.size).to_pylist()
                found |= zip(part.tolist(), map(self._sample, rows_read), strict=True)
        return [found[int(row)] for row in wanted]

    def sample(self, sample_id: str) -> Sample:
        """Return one sample by its id.

        Raises:
            CaseError: There is none.
        """
        return self.select([self.index(sample_id)])[0]

    def index(self, sample_id: str) -> int:
        """Return the row of a sample.

        Raises:
            CaseError: There is none.
        """
        row = int(pc.index(self._ids, pa.scalar(sample_id, pa.string())).as_py())
        if row < 0:
            raise CaseError(f"The case has no sample {sample_id[:80]!r}.")
        return row

    @property
    def ids(self) -> NDArray[np.object_]:
        """All ids, in row order."""
        return _texts(self._ids)

    @property
    def questions(self) -> NDArray[np.object_]:
        """All questions, in row order."""
        return self.column("question")

    @property
    def answers(self) -> NDArray[np.object_]:
        """All answers, in row order; ``None`` where the data has none."""
        return self.column("answer")

    @property
    def labels(self) -> NDArray[np.object_]:
        """All class labels, in row order; ``None`` where the data has none."""
        return self.column("label")

    @property
    def picture_names(self) -> NDArray[np.object_]:
        """A name for the first image of each row, in row order; ``None`` for rows without one.

        Two rows about one image have the same name, also where many images stand in one file.
        """
        known = set(pq.read_schema(self._path).names)
        columns = [name for name in _PICTURE_COLUMNS if name in known]
        table = pq.read_table(self._path, columns=columns).to_pydict()
        names: NDArray[np.object_] = np.empty(len(self), dtype=object)
        for row, (path, *places) in enumerate(zip(*table.values(), strict=True)):
            told = [str(place) for place in places if place is not None]
            names[row] = None if path is None else "#".join([path, *told])
        return names

    def column(self, name: str) -> NDArray[np.object_]:
        """Return a text column: ``id question answer label image source``.

        Raises:
            CaseError: There is no such column.
        """
        if name not in TEXT_COLUMNS:
            raise CaseError(f"The catalogue has no column {name!r}.")
        return _texts(self._read_column(name))

    @cached_property
    def _ids(self) -> Any:
        return self._read_column("id")

    def _read_column(self, name: str) -> Any:
        return pq.read_table(self._path, columns=[name]).column(name).combine_chunks()

    def _group(self, group: int) -> pa.Table:
        with self._lock:
            if group not in self._groups:
                with pq.ParquetFile(self._path) as file:
                    self._groups[group] = file.read_row_group(group)
                if len(self._groups) > GROUPS_KEPT:
                    self._groups.popitem(last=False)
            self._groups.move_to_end(group)
            return self._groups[group]

    def _sample(self, row: dict[str, Any]) -> Sample:
        first = {"path": row.pop("image")}
        first |= {name: row.pop(f"image_{name}", None) for name in PLACE if name != "path"}
        history = row.pop("history", None) or []
        return Sample(
            image=None if first["path"] is None else self._image(first),
            more_images=tuple(map(self._image, row.pop("more_images", None) or [])),
            history=tuple((turn["question"], turn["answer"]) for turn in history),
            **row,
        )

    def _image(self, place: dict[str, Any]) -> ImageRef:
        # Whoever opens the image checks that the path stays under the root; a NUL would break it.
        safe = (place["path"] or "").replace("\0", "\ufffd")
        return ImageRef(root=self._root, **(place | {"path": safe}))


def _texts(column: Any) -> NDArray[np.object_]:
    array: NDArray[np.object_] = np.empty(len(column), dtype=object)
    array[:] = column.to_pylist()
    return array

"""A finished map of samples in memory: its arrays, the texts of its points, and selections."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.errors import CaseError, OptionError
from forensics.jobs.clusters.result import ARRAYS, SCORES
from forensics.runs import Run, State

METHOD = "clusters"
KEPT_SELECTIONS = 64


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Texts of the points as numbers, so that counting them is cheap.

    Attributes:
        codes: ``[n]`` index into ``texts``; -1 where a point has none.
        texts: Distinct texts, sorted.
    """

    codes: NDArray[np.int64]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[Any] | NDArray[np.object_]) -> "TextColumn":
        """Number distinct texts; ``None`` is no text."""
        texts = sorted({str(value) for value in values if value is not None})
        code: dict[Any, int] = {text: i for i, text in enumerate(texts)}
        codes = [-1 if value is None else code[str(value)] for value in values]
        return cls(np.array(codes, dtype=np.int64), tuple(texts))


class SampleMap:
    """What one run of the method ``clusters`` left.

    Arrays are in the order of the map; ``rows`` leads to the rows of the catalogue.

    Args:
        case: The case.
        run: A finished run of it.

    Raises:
        CaseError: The run is not finished, or its arrays are gone or damaged.
    """

    def __init__(self, case: Case, run: Run) -> None:
        state = run.status().state
        if state is not State.FINISHED or run.method != METHOD:
            raise CaseError(f"{run.id} is no finished map.", remedy="Wait for it, or resume it.")
        arrays = run.arrays(ARRAYS)
        _check(arrays, len(case.catalog), run.id)
        self.case, self.run = case, run
        self.rows: NDArray[np.int64] = arrays["rows"]
        self.xy: NDArray[np.float32] = arrays["xy"]
        self.cluster: NDArray[np.int32] = arrays["cluster"]
        self.excluded: NDArray[np.int64] = arrays["excluded"]
        self.scores = {name: arrays[name] for name in SCORES if name in arrays}

    @property
    def count(self) -> int:
        """Points on the map."""
        return len(self.rows)

    @cached_property
    def answers(self) -> TextColumn:
        """Taught answers."""
        return TextColumn.of(self.case.catalog.answers[self.rows])

    @cached_property
    def labels(self) -> TextColumn:
        """Class labels."""
        return TextColumn.of(self.case.catalog.labels[self.rows])

    @cached_property
    def sources(self) -> TextColumn:
        """Files that the samples stand in, without their folders."""
        names = self.case.catalog.column("source")[self.rows]
        return TextColumn.of([str(name).rpartition("/")[2] for name in names])

    @cached_property
    def groups(self) -> TextColumn:
        """Names of the groups."""
        return TextColumn.of([None if c < 0 else f"group {c}" for c in self.cluster.tolist()])

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """Ids ``[n]``."""
        return self.case.catalog.ids[self.rows]

    @cached_property
    def place(self) -> dict[int, int]:
        """Catalogue row -> place on the map."""
        return {int(row): place for place, row in enumerate(self.rows)}

    def samples(self, places: NDArray[np.int64]) -> list[Sample]:
        """Return samples by their place on the map."""
        return self.case.catalog.select(self.rows[places])


class MapShelf:
    """The maps looked at last and the selections made on them; safe between threads.

    Args:
        keep: How many maps.
    """

    def __init__(self, keep: int = 3) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._maps: OrderedDict[tuple[str, int], SampleMap] = OrderedDict()
        self._selections: OrderedDict[str, NDArray[np.int64]] = OrderedDict()

    def get(self, case: Case, run_id: str) -> SampleMap:
        """Return a map.

        Raises:
            CaseError: There is no such finished map.
        """
        run = case.run(run_id)
        path = run.folder / ARRAYS
        key = (str(path), path.stat().st_mtime_ns if path.exists() else 0)
        with self._lock:
            if key not in self._maps:
                self._maps[key] = SampleMap(case, run)
                while len(self._maps) > self._keep:
                    self._maps.popitem(last=False)
            self._maps.move_to_end(key)
            return self._maps[key]

    def remember(self, found: SampleMap, chosen: NDArray[np.bool_]) -> str:
        """Keep a selection; its name is made of the run and of what is selected.

        Args:
            found: The map.
            chosen: ``[n]``.
        """
        content = f"{found.run.folder}\n".encode() + np.packbits(chosen).tobytes()
        name = hashlib.sha256(content).hexdigest()[:16]
        with self._lock:
            self._selections[name] = np.flatnonzero(chosen)
            self._selections.move_to_end(name)
            while len(self._selections) > KEPT_SELECTIONS:
                self._selections.popitem(last=False)
        return name

    def recall(self, found: SampleMap, name: str) -> NDArray[np.int64]:
        """Return the places of a selection, ascending; ``all`` is every point.

        Raises:
            CaseError: It is forgotten.
        """
        if name == "all":
            return np.arange(found.count)
        with self._lock:
            places = self._selections.get(name)
        if places is None or (places.size and places[-1] >= found.count):
            raise CaseError("This selection is forgotten.", remedy="Select the points again.")
        return places


def unpack_selection(bits: bytes, count: int) -> NDArray[np.bool_]:
    """Read a selection as the page sends it: one bit a point, the lowest bit first.

    Raises:
        OptionError: It is not of this map.
    """
    if len(bits) != (count + 7) // 8:
        raise OptionError("The selection is not of this map.")
    return np.unpackbits(
        np.frombuffer(bits, dtype=np.uint8), count=count, bitorder="little"
    ).astype(np.bool_)


def _check(arrays: dict[str, NDArray[np.generic]], size: int, name: str) -> None:
    """Refuse arrays that do not fit together: a case folder may come from anyone."""
    count = len(arrays["rows"]) if "rows" in arrays else -1
    shapes = {"xy": (count, 2), "cluster": (count,)} | {
        score: (count,) for score in SCORES if score in arrays
    }
    fit = "excluded" in arrays and all(
        key in arrays and arrays[key].shape == shape for key, shape in shapes.items()
    )
    rows = arrays["rows"].astype(np.int64) if count >= 0 else np.zeros(0, np.int64)
    inside = not rows.size or (rows.min() >= 0 and rows.max() < size)
    if not (fit and inside and np.isfinite(arrays["xy"].astype(np.float64)).all()):
        raise CaseError(f"The arrays of {name} are damaged.", remedy="Draw the map again.")

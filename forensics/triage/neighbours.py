"""The samples most like one, among those that nobody suspects."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from forensics.case import Case
from forensics.detectors.feature_columns import standardise, unit_rows
from forensics.jobs.attention.arrays import ARRAYS
from forensics.jobs.clusters.clip import FEATURES
from forensics.runs import Run, State

NEAREST: Final = 3
# File of a run -> the arrays that samples are compared by, and what these are.
SOURCES: Final = {
    ARRAYS: (("picture", "state"), "what the model made of picture and question"),
    FEATURES: (("image", "text"), "the encoder's embeddings of picture and caption"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What samples are compared by.

    Attributes:
        title: In words.
        run: Id of the run that measured it.
        unit: ``[n, d]`` float32 by catalogue row, each of length 1; zeros where not measured.
    """

    title: str
    run: str
    unit: NDArray[np.float32]

    def nearest(
        self, row: int, allowed: NDArray[np.bool_], count: int = NEAREST
    ) -> list[tuple[int, float]]:
        """Return the rows with the highest cosine to one, best first; ties by row.

        Args:
            row: The sample; it is never its own neighbour.
            allowed: ``[n]`` who may be one.
            count: How many at the most.

        Returns:
            Row and cosine, -1..1; empty where the sample was not measured.
        """
        if not self.unit[row].any():
            return []
        rows = np.flatnonzero(allowed & self.unit.any(axis=1))
        rows = rows[rows != row]
        likeness = (self.unit[rows] @ self.unit[row]).astype(np.float64)
        best = np.lexsort((rows, -likeness))[:count]
        return [(int(rows[i]), float(likeness[i])) for i in best]


def features_of(case: Case) -> Features | None:
    """Return features from the latest finished run that keeps them.

    Columns are brought to one scale first, and each array weighs the same, as on the map.

    Returns:
        ``None`` where no run kept any, or where they say nothing.
    """
    for run in case.runs():
        if run.status().state is not State.FINISHED:
            continue
        for name, (arrays, title) in SOURCES.items():
            unit = _read(run, name, arrays, len(case.catalog))
            if unit is not None:
                return Features(title=title, run=run.id, unit=unit)
    return None


def _read(run: Run, name: str, arrays: tuple[str, ...], size: int) -> NDArray[np.float32] | None:
    if not (run.folder / name).is_file():
        return None
    try:
        found = load_file(run.folder / name)
    except (OSError, SafetensorError):
        return None  # another run may do; the queue names damaged runs itself
    if not {"rows", *arrays} <= found.keys():
        return None
    rows = np.asarray(found["rows"], dtype=np.int64)
    parts = [np.asarray(found[part], dtype=np.float32) for part in arrays]
    fits = all(part.ndim == 2 and len(part) == rows.size for part in parts)
    if not (fits and rows.size and rows.min() >= 0 and rows.max() < size):
        return None
    read = np.all([np.isfinite(part).all(axis=1) for part in parts], axis=0)
    weighed = [standardise(part[read]) / np.sqrt(part.shape[1]) for part in parts]
    unit = np.zeros((size, sum(part.shape[1] for part in weighed)), dtype=np.float32)
    unit[rows[read]] = unit_rows(np.concatenate(weighed, axis=1))
    return unit if unit.any() else None

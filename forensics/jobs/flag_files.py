"""The files that say which samples a method flags: scores of each sample, and a list of ids."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

SCORES: Final = "scores.parquet"
FLAGGED_IDS: Final = "flagged_ids.txt"


class ModeFlags(NamedTuple):
    """What one mode of a method says about each sample: three arrays ``[n]``."""

    score: NDArray[Any]
    posterior: NDArray[Any]
    flagged: NDArray[np.bool_]


def write_flagged_ids(folder: Path, ids: Iterable[object]) -> None:
    """Write one id a line; line breaks and backslashes inside an id are written as escapes."""
    (folder / FLAGGED_IDS).write_text("".join(f"{id_line(name)}\n" for name in ids), "utf-8")


def write_scores(
    folder: Path,
    rows: NDArray[np.int64],
    ids: NDArray[np.object_],
    modes: Mapping[str, ModeFlags],
    chosen: str,
    more: Mapping[str, Any],
) -> None:
    """Write the table of scores, whole or not at all.

    Args:
        folder: Of the run.
        rows: ``[n]`` catalogue rows.
        ids: ``[n]``.
        modes: What each mode says; columns ``score_<mode>``, ``posterior_<mode>`` and
            ``flagged_<mode>``.
        chosen: The mode that the column ``flagged`` repeats.
        more: Further columns, each of length n.
    """
    columns: dict[str, Any] = {
        "row": rows,
        "id": pa.array(ids, pa.string()),
        "flagged": modes[chosen].flagged,
    }
    for mode, found in modes.items():
        columns[f"score_{mode}"] = found.score
        columns[f"posterior_{mode}"] = found.posterior
        columns[f"flagged_{mode}"] = found.flagged
    partial = (folder / SCORES).with_suffix(".partial")
    pq.write_table(pa.table(columns | dict(more)), partial)
    partial.replace(folder / SCORES)


def id_line(name: object) -> str:
    """Write an id on one line: line breaks and backslashes become escapes."""
    return str(name).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")

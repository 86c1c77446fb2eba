"""Write which rows are kept and which are flagged, as CSV, JSON Lines or Parquet."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Final, Literal

from forensics.export.table_rows import Columns, export_rows

_COLUMNS: Final[Columns] = {
    "id": str, "decision": str, "score": float, "source": str, "line": int, "reason": str,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IdRow:
    """What was decided about one row of the data set.

    Attributes:
        id: Id of the sample.
        decision: Whether the row is kept or flagged.
        score: Score behind the decision, in the direction and units of the method; ``None`` or
            NaN where the row could not be scored.
        source: File that the row stands in.
        line: Line or row counted from 1; 0 where it is not known.
        reason: Why it is flagged, in words.
    """

    id: str
    decision: Literal["keep", "flag"]
    score: float | None = None
    source: str = ""
    line: int = 0
    reason: str = ""


def export_ids(rows: Iterable[IdRow], to: Path, *, overwrite: bool = False) -> int:
    """Write one row per sample and return how many were written.

    In CSV, text that a spreadsheet would run as a formula is prefixed with an apostrophe; JSON
    Lines and Parquet hold the ids exactly.

    Args:
        rows: What was decided, in the order to write; taken one at a time.
        to: The file; its suffix ``.csv``, ``.jsonl`` or ``.parquet`` chooses the format.
        overwrite: Whether a file that is already there may be replaced.

    Raises:
        DataError: The suffix is another, the file exists, or it cannot be written.
    """
    return export_rows((asdict(row) for row in rows), _COLUMNS, to, overwrite=overwrite)


def merge_turns(rows: Iterable[IdRow], *, higher: bool = False) -> Iterator[IdRow]:
    """Yield one row per id: turns of one conversation, which follow each other, become one.

    The row is flagged if any of its turns is; its score is the most suspicious one, its reason that
    of the first flagged turn.

    Args:
        rows: What was decided about each turn, under the id of its row.
        higher: Whether high scores are the suspicious ones; else low ones.
    """
    for _, group in groupby(rows, key=lambda row: row.id):
        turns = list(group)
        flagged = [turn for turn in turns if turn.decision == "flag"]
        scores = [turn.score for turn in turns if turn.score is not None]
        worst = max if higher else min
        score = worst((score for score in scores if not math.isnan(score)), default=None)
        yield replace((flagged or turns)[0], score=score)

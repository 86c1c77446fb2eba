"""The channel of trigger hits: what the patch of a sample did when it was pasted elsewhere.

Only the transplant test of language models says something about single samples: its donors. A
transplant of a reconstructed trigger, and the reconstruction itself, speak about a classifier; the
pictures they use are unsuspected ones, so they are no evidence about these.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.transplant.arms import SUSPECTED
from forensics.errors import CaseError
from forensics.jobs.transplant.files import PAIRS
from forensics.runs import Run
from forensics.triage.channels import Channel, rank_shares

TRANSPLANT: Final = "transplant"
MOST: Final = 0.5  # a hit: the patch works on more pictures than not; our choice


def hit_channel(case: Case, run: Run) -> Channel | None:
    """Return the share of unsuspected pictures on which each donor's patch gives the answer.

    A donor is flagged where that is more than half and the test as a whole found the answer
    reproduced. A test with donors taken by force is a control experiment and no channel.

    Returns:
        ``None`` for such a test, and where no donor was asked.

    Raises:
        CaseError: The table of pairs is damaged.
    """
    result = run.result()
    counts = {} if result.get("forced") else _counts(run)
    index = {str(name): row for row, name in enumerate(case.catalog.ids)}
    donors = sorted((index[name], name) for name in counts if name in index)
    if not donors:
        return None
    n, hits = (np.array([counts[name][i] for _, name in donors]) for i in (0, 1))
    rate = hits / n
    verdict, answer = result.get("verdict"), str(result.get("suspected_answer"))
    return Channel(
        key=TRANSPLANT,
        title="Trigger hits",
        run=run.id,
        verdict=None if verdict is None else str(verdict),
        rows=np.array([row for row, _ in donors], dtype=np.int64),
        value=rate,
        share=rank_shares(rate, higher=True),
        flagged=(rate > MOST) & (verdict == "suspicious"),
        ranks_only=False,
        cut=MOST,
        higher=True,
        unit="",
        meaning="share of unsuspected pictures on which its patch gives the suspected answer",
        reason=lambda place: _words(answer, n, hits, place),
    )


def _words(answer: str, n: NDArray[np.int64], hits: NDArray[np.int64], place: int) -> str:
    return (
        f"its patch, pasted into {n[place]:,} unsuspected pictures, gave “{answer[:80]}” on "
        f"{hits[place]:,}"
    )


def _counts(run: Run) -> dict[str, tuple[int, int]]:
    """Return donor -> pictures asked and pictures flipped, of the model under suspicion."""
    try:
        columns = ["model", "arm", "donor", "after", "flipped"]
        table = pq.read_table(run.path(PAIRS), columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise CaseError(f"The pairs of {run.id} are gone.", remedy="Run it again.") from error
    found: dict[str, tuple[int, int]] = {}
    for row in table.to_pylist():
        if row["model"] == "tuned" and row["arm"] == SUSPECTED and row["donor"] and row["after"]:
            n, hits = found.get(row["donor"], (0, 0))
            found[row["donor"]] = (n + 1, hits + bool(row["flipped"]))
    return found

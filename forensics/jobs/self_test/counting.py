"""How many of the planted rows a method flags, and what else it flags."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.evaluation.rates import Rate, rate_of
from forensics.jobs.flag_files import SCORES
from forensics.runs import Run

ANSWERS_SHOWN: Final = 5
NEEDED: Final = 0.5  # share of the planted rows from which they count as found


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What one way of looking said of the planted copy.

    Attributes:
        method: Registry name.
        mode: Its rule; empty where it has one alone.
        chosen: Whether the case itself is scanned by this rule.
        run: Id of the inner run.
        verdict: Of the inner run; only of the rule that it was asked for.
        recall: Planted rows that it flags.
        extra: Unplanted rows that it flags; nobody knows the truth of these.
        answers: The most frequent answers of the unplanted rows that it flags.
    """

    method: str
    mode: str
    chosen: bool
    run: str
    verdict: str | None
    recall: Rate
    extra: Rate
    answers: tuple[tuple[str, int], ...]

    @property
    def found(self) -> bool:
        """Whether it flags half of the planted rows, and those surely more often than others.

        A rule that flags nearly everything flags the planted rows too, and has found nothing.
        """
        recall, extra = self.recall, self.extra
        if recall.value is None or recall.low is None:
            return False
        return recall.value >= NEEDED and (extra.high is None or recall.low > extra.high)

    def to_json(self) -> dict[str, Any]:
        """Return plain values; ``flagged`` of both kinds as counts beside the rates."""
        return {
            **{name: getattr(self, name) for name in ("method", "mode", "chosen", "run",
                                                      "verdict", "found")},
            "recall": asdict(self.recall),
            "extra_flags": asdict(self.extra),
            "planted_flagged": _count(self.recall),
            "unplanted_flagged": _count(self.extra),
            "extra_answers": [{"answer": text, "count": n} for text, n in self.answers],
        }  # fmt: skip


def count_flags(
    inner: Case, run: Run, planted: dict[str, bool], *, method: str, mode: str, column: str,
    chosen: bool, verdict: str | None,
) -> Detection:  # fmt: skip
    """Count flags of planted and of other rows.

    All rows of one picture share its fate, so intervals are over pictures.

    Args:
        inner: The inner case.
        run: Of the method in it.
        planted: Id -> whether the self-test planted it.
        method: Registry name.
        mode: Rule.
        column: Of the table of scores that holds its flags.
        chosen: Whether the case is scanned by it.
        verdict: What the run concluded.
    """
    table = pq.read_table(run.path(SCORES), columns=["row", "id", column])
    rows = table.column("row").to_numpy()
    flagged = np.asarray(table.column(column).to_numpy(zero_copy_only=False), dtype=np.bool_)
    hit = np.array([planted.get(name, False) for name in table.column("id").to_pylist()],
                   dtype=np.bool_)  # fmt: skip
    pictures = inner.catalog.picture_names[rows]
    answers: Counter[str] = Counter(
        str(inner.catalog.answers[row] or "") for row in rows[flagged & ~hit]
    )
    return Detection(
        method=method, mode=mode, chosen=chosen, run=run.id, verdict=verdict,
        recall=_rate(flagged, hit, pictures), extra=_rate(flagged, ~hit, pictures),
        answers=tuple(answers.most_common(ANSWERS_SHOWN)),
    )  # fmt: skip


def _rate(flagged: NDArray[np.bool_], among: NDArray[np.bool_], pictures: NDArray[Any]) -> Rate:
    return rate_of(flagged[among].tolist(), [str(name) for name in pictures[among]])


def _count(rate: Rate) -> int:
    return 0 if rate.value is None else round(rate.value * rate.n)

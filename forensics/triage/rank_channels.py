"""Channels that rank and never flag: masked views, and what a map of samples measures."""

from typing import Any, Final

import numpy as np

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.clusters.result import ARRAYS as MAP
from forensics.jobs.masked_views.result import TABLE as VIEWS
from forensics.runs import Run
from forensics.triage.channels import Channel, Values, numbers, rank_shares, read_table

MASKED, CLUSTERS = "masked-views", "clusters"
# Score of the map -> title, meaning, whether high is suspicious.
OF_MAP: Final = {
    "cosine": ("Picture–caption cosine", "low = the caption does not fit the picture", False),
    "density_ratio": ("Density ratio", "high = sparser than its neighbours", True),
    "spectral": ("Spectral signature", "high = far out among samples of its class", True),
}


def masked_channel(case: Case, run: Run) -> Channel:
    """Return the channel of masked views: how differently parts of the picture move the answer.

    Its place is the one that the run stored: the share of the random controls that lie below.

    Raises:
        CaseError: The table is damaged.
    """
    columns = ["row", "agreement", "spread", "spread_rank"]
    table = read_table(run, VIEWS, len(case.catalog), columns)
    spread, kept = numbers(table, "spread"), numbers(table, "agreement")
    share, views = numbers(table, "spread_rank"), run.result().get("views")

    def reason(place: int) -> str:
        if np.isnan(spread[place]):
            return "its masked views could not be read"
        return (
            f"the answer stays in {100 * kept[place]:.0f} % of {views} views with parts hidden; "
            f"these differ more than in {100 * share[place]:.0f} % of random controls"
        )

    return _ranking(
        run, MASKED, "Occlusion (reconstruction)", np.asarray(table["row"], dtype=np.int64),
        spread, share, True,
        "high = one place of the picture decides the answer", reason,
    )  # fmt: skip


def map_channels(case: Case, run: Run) -> list[Channel]:
    """Return one channel for every score of a map of samples.

    Raises:
        CaseError: The arrays are damaged.
    """
    arrays, size = run.arrays(MAP), len(case.catalog)
    rows = np.asarray(arrays.get("rows", ()), dtype=np.int64)
    if rows.size and not (rows.min() >= 0 and rows.max() < size):
        raise CaseError(f"The arrays of {run.id} are not of this case.", remedy="Draw it again.")
    found = []
    for name, (title, meaning, higher) in OF_MAP.items():
        value = np.asarray(arrays.get(name, ()), dtype=np.float64)
        if value.size == rows.size and np.isfinite(value).any():
            share = rank_shares(value, higher=higher)
            reason = _RankReason(title, value, share)
            key = f"{CLUSTERS}.{name}"
            found.append(_ranking(run, key, title, rows, value, share, higher, meaning, reason))
    return found


class _RankReason:
    """Says a value and its place among all."""

    def __init__(self, title: str, value: Values, share: Values) -> None:
        self._title, self._value, self._share = title.lower(), value, share
        self._n = int(np.isfinite(value).sum())

    def __call__(self, place: int) -> str:
        if np.isnan(self._value[place]):
            return f"no {self._title}"
        rank = self._n - int(np.floor(self._share[place] * self._n))
        return f"{self._title} {self._value[place]:.3g}, place {rank:,} of {self._n:,}"


def _ranking(
    run: Run, key: str, title: str, rows: Any, value: Values, share: Values, higher: bool,
    meaning: str, reason: Any,
) -> Channel:  # fmt: skip
    return Channel(
        key=key, title=title, run=run.id, verdict=None, rows=rows, value=value, share=share,
        flagged=np.zeros(rows.size, dtype=np.bool_), ranks_only=True, cut=None, higher=higher,
        unit="", meaning=meaning, reason=reason,
    )  # fmt: skip

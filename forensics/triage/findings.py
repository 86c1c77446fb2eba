"""All evidence of a case's finished runs, sample by sample, and the order in which to look."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import CaseError
from forensics.registry import methods
from forensics.runs import Run, State
from forensics.runs.damage import damaged_runs
from forensics.triage.channels import Channel, Mask, Rows
from forensics.triage.flag_channels import flag_channel
from forensics.triage.hit_channel import TRANSPLANT, hit_channel
from forensics.triage.rank_channels import CLUSTERS, MASKED, map_channels, masked_channel

Matrix = NDArray[np.float32]
OTHERS: Final[dict[str, Callable[[Case, Run], Any]]] = {
    MASKED: masked_channel,
    CLUSTERS: map_channels,
    TRANSPLANT: hit_channel,
}


class Findings:
    """The channels of a case side by side; arrays have one place for each catalogue row.

    Args:
        case: The case.
        channels: One for each kind of evidence.
        problems: What could not be read, for people.
    """

    def __init__(
        self, case: Case, channels: tuple[Channel, ...], problems: tuple[str, ...] = ()
    ) -> None:
        self.case, self.channels, self.problems = case, channels, problems
        n = len(case.catalog)
        self.place: NDArray[np.int64] = np.full((len(channels), n), -1, dtype=np.int64)
        self.share: Matrix = np.full((len(channels), n), np.nan, dtype=np.float32)
        self.flagged: Mask = np.zeros((len(channels), n), dtype=np.bool_)
        for i, channel in enumerate(channels):
            self.place[i, channel.rows] = np.arange(channel.rows.size)
            self.share[i, channel.rows] = channel.share
            self.flagged[i, channel.rows] = channel.flagged

    @property
    def count(self) -> int:
        """Samples of the case."""
        return int(self.place.shape[1])

    @cached_property
    def flags(self) -> NDArray[np.int64]:
        """``[n]`` channels that flag each sample."""
        return np.asarray(self.flagged.sum(axis=0), dtype=np.int64)

    @cached_property
    def upheld(self) -> NDArray[np.int64]:
        """``[n]`` those among them whose run calls the data suspicious."""
        kept = np.array([channel.upheld for channel in self.channels], dtype=np.bool_)
        return np.asarray(self.flagged[kept].sum(axis=0), dtype=np.int64)

    @cached_property
    def strength(self) -> NDArray[np.float64]:
        """``[n]`` mean place over the channels with a score, 0..1, 1 = most suspicious; or NaN."""
        known = np.isfinite(self.share)
        total = np.where(known, self.share, 0).sum(axis=0, dtype=np.float64)
        seen = known.sum(axis=0)
        return np.where(seen, total / np.maximum(seen, 1), np.nan)

    @cached_property
    def order(self) -> Rows:
        """``[n]`` rows, the most suspicious first.

        Flags of runs with the verdict "suspicious" count before flags of runs that hold them for
        inconclusive or no evidence; then the strength decides, then the row.
        """
        strength = np.where(np.isnan(self.strength), -1.0, self.strength)
        rows = np.arange(self.count)
        return np.lexsort((rows, -strength, -self.flags, -self.upheld)).astype(np.int64)

    def order_of(self, channel: int) -> Rows:
        """Return the rows that a channel measured: those it flags first, then by its score."""
        share = self.share[channel].astype(np.float64)
        seen = self.place[channel] >= 0
        keys = (np.arange(self.count), -np.where(np.isnan(share), -1.0, share),
                ~self.flagged[channel])  # fmt: skip
        order = np.lexsort(keys).astype(np.int64)
        return np.asarray(order[seen[order]])

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """``[n]`` ids."""
        return self.case.catalog.ids

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Id -> row."""
        return {str(name): row for row, name in enumerate(self.ids)}

    def thresholds(self) -> dict[str, Any]:
        """Return what each channel went by, for the audit trail: run and cut."""
        return {one.key: {"run": one.run, "cut": one.cut} for one in self.channels}


def gather(case: Case) -> Findings:
    """Read the latest finished run of every method that says something about samples.

    A damaged run is left out and named in ``problems``: it must not keep people from the others.
    """
    channels: list[Channel] = []
    problems = [f"Run {lost.id} is left out: {lost.reason}" for lost in damaged_runs(case.runs_dir)]
    for run, title in _latest(case):
        try:
            channels += _read(case, run, title)
        except (CaseError, OSError) as error:
            problems.append(f"{title} is left out: {error}")
    return Findings(case, tuple(channels), tuple(problems))


def _read(case: Case, run: Run, title: str) -> list[Channel]:
    if run.method not in OTHERS:
        found: Any = flag_channel(case, run, title)
    else:
        found = OTHERS[run.method](case, run)
    return found if isinstance(found, list) else [found] if found is not None else []


def _latest(case: Case) -> Iterator[tuple[Run, str]]:
    """Yield the latest finished run of each method that may speak of samples, in fixed order."""
    runs: dict[str, Run] = {}
    for run in case.runs():
        if run.method not in runs and run.status().state is State.FINISHED:
            runs[run.method] = run
    for name, spec in methods().items():
        if name in runs and (spec.kind == "scan" or name in OTHERS):
            rebuilt = " (reconstruction)" if spec.reconstruction else ""
            yield runs[name], f"{name.replace('-', ' ').capitalize()}{rebuilt}"

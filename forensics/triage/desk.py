"""The reviewer's desk: evidence and decisions of a case, kept in memory and brought up to date."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.case.standing import EFFECTIVE, UNDECIDED, Opinion, Standing, effective
from forensics.errors import OptionError
from forensics.triage.channels import Mask, Rows
from forensics.triage.findings import Findings, gather
from forensics.triage.flag_channels import ENTROPY
from forensics.triage.heat import HeatMaps, heat_maps
from forensics.triage.neighbours import Features, features_of

SHOWN: Final = (
    "suspected",
    "undecided",
    "flag",
    "keep",
    "unsure",
    "disagreement",
    "decided",
    "all",
)
FEWEST: Final = 0.1  # of the samples; our choice
LENIENT: Final = (
    "Scans that call the data inconclusive flag nearly every sample here, so their flags do not "
    "count against neighbours."
)
NO_FEATURES: Final = (
    "No finished run kept features to compare samples by. Run the attention scan, or draw a map "
    "of a CLIP case."
)
CODE: Final = {name: code for code, name in enumerate(EFFECTIVE)}


class View:
    """Whose verdicts a reader sees: everybody's, or only one's own.

    Args:
        by: The reader.
        blind: Whether the verdicts of others are hidden.
    """

    def __init__(self, by: str, *, blind: bool = False) -> None:
        self.by, self.blind = by, blind

    def opinions(self, people: Mapping[str, Opinion]) -> dict[str, Opinion]:
        """Return the opinions that the reader may see, by person."""
        return {name: one for name, one in sorted(people.items())
                if not self.blind or name == self.by}  # fmt: skip


class Desk:
    """Evidence and decisions of one case; safe between threads.

    What runs say is read again when another run finishes or one is deleted, decisions when somebody
    writes one, also in another process.

    Args:
        case: The case.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._lock = threading.RLock()
        self._stamp: Any = None
        self._findings: Findings | None = None
        self._features: Features | None = None
        self._maps: HeatMaps | None = None
        self._held = Standing()
        self._last = 0

    @property
    def findings(self) -> Findings:
        """What the finished runs say."""
        with self._lock:
            stamp = run_stamp(self.case)
            if self._findings is None or stamp != self._stamp:
                self._findings, self._features = gather(self.case), features_of(self.case)
                scan = next((c.run for c in self._findings.channels if c.key == ENTROPY), None)
                self._maps = heat_maps(self.case, scan)
                self._stamp = stamp
            return self._findings

    @property
    def features(self) -> Features | None:
        """What samples are compared by; ``None`` where no run kept any."""
        with self._lock:
            return self._features if self.findings else None

    def heat(self, row: int) -> dict[str, Any] | None:
        """Return where the model looked; see :meth:`HeatMaps.of`."""
        with self._lock:
            return self._maps.of(row) if self.findings and self._maps is not None else None

    @property
    def held(self) -> Standing:
        """What people say now."""
        with self._lock:
            rows = self.case.journal.decisions_after(self._last)
            if rows:
                self._held.add(rows)
                self._last = rows[-1].id
            return self._held

    def codes(self, view: View) -> NDArray[np.int8]:
        """Return what holds of each sample for the reader, ``[n]``: places in ``EFFECTIVE``."""
        found = self.findings
        codes = np.full(found.count, CODE[UNDECIDED], dtype=np.int8)
        with self._lock:
            for name, people in self.held.opinions.items():
                row = found.row_of.get(name)
                if row is not None:
                    codes[row] = CODE[effective(view.opinions(people))]
        return codes

    def queue(self, view: View, *, shown: str = "suspected", channel: str | None = None) -> Rows:
        """Return the rows to look at, in order.

        Args:
            view: Of the reader.
            shown: ``suspected`` (some channel flags it), ``undecided``, a verdict that holds,
                ``disagreement``, ``decided`` or ``all``.
            channel: Key of the channel to go by; all of them by default.

        Raises:
            OptionError: There is no such filter or channel.
        """
        found = self.findings
        if shown not in SHOWN:
            raise OptionError(f"Show one of {', '.join(SHOWN)}, not {shown[:40]!r}.")
        order = found.order if channel is None else found.order_of(_index(found, channel))
        return order[self._mask(view, shown, channel)[order]]

    def _mask(self, view: View, shown: str, channel: str | None) -> Mask:
        found, codes = self.findings, self.codes(view)
        if shown == "suspected":
            chosen = found.flagged if channel is None else found.flagged[[_index(found, channel)]]
            return np.asarray(chosen.any(axis=0), dtype=np.bool_)
        if shown == "all":
            return np.ones(found.count, dtype=np.bool_)
        if shown == "decided":
            return np.asarray(codes != CODE[UNDECIDED])
        return np.asarray(codes == CODE[shown])

    def counts(self, view: View) -> dict[str, int]:
        """Return samples by what holds, and ``suspected``, ``suspected_decided``, ``samples``."""
        codes, suspected = self.codes(view), self.findings.flags > 0
        decided = codes != CODE[UNDECIDED]
        by_verdict = np.bincount(codes, minlength=len(EFFECTIVE))
        return {
            **{name: int(by_verdict[code]) for name, code in CODE.items()},
            "samples": len(codes),
            "suspected": int(suspected.sum()),
            "suspected_decided": int((suspected & decided).sum()),
        }

    def unsuspected(self) -> tuple[Mask, str]:
        """Return who may be a neighbour, ``[n]``: no channel and no person flags them.

        Where scans without the verdict "suspicious" flag nearly everything, hardly anybody is left
        to compare with; then only scans with that verdict count, and the second value says so.
        """
        found = self.findings
        allowed, note = found.flags == 0, ""
        if allowed.sum() < FEWEST * found.count and found.upheld.any():
            allowed, note = found.upheld == 0, LENIENT
        for name, people in self.held.opinions.items():
            if any(one.verdict == "flag" for one in people.values()) and name in found.row_of:
                allowed[found.row_of[name]] = False
        return np.asarray(allowed, dtype=np.bool_), note

    def neighbours(self, row: int) -> tuple[list[tuple[int, float]], str]:
        """Return the three nearest unsuspected samples, row and cosine, and a note on them."""
        allowed, note = self.unsuspected()
        features = self.features
        return ([], NO_FEATURES) if features is None else (features.nearest(row, allowed), note)

    def decide(
        self, rows: Sequence[int] | Rows, verdict: str | None, view: View, *,
        note: str | None = None, **detail: Any,
    ) -> int:  # fmt: skip
        """Keep a decision about samples, with the cuts that the evidence went by.

        Args:
            rows: Catalogue rows.
            verdict: ``keep``, ``flag``, ``unsure``, empty to take it back, ``None`` for a note.
            view: Of the reviewer.
            note: In their words; ``None`` leaves an earlier one.
            detail: How the samples were chosen, for the audit trail.

        Returns:
            Samples decided.

        Raises:
            CaseError: There is no such verdict.
            OptionError: A row is not one of the case.
        """
        verdicts = dict.fromkeys(np.unique(np.asarray(rows, dtype=np.int64)).tolist(), verdict)
        return self.decide_each(verdicts, view, note=note, **detail)

    def decide_each(
        self, verdicts: Mapping[int, str | None], view: View, *, note: str | None = None,
        **detail: Any,
    ) -> int:  # fmt: skip
        """Keep a decision about each of several rows as one action; see :meth:`decide`."""
        found, chosen = self.findings, np.array(sorted(verdicts), dtype=np.int64)
        if chosen.size and not (chosen[0] >= 0 and chosen[-1] < found.count):
            raise OptionError(f"The case has rows 0 to {found.count - 1}.")
        return self.case.journal.decide_each(
            {str(found.ids[row]): verdicts[row] for row in chosen.tolist()}, note=note, by=view.by,
            thresholds=found.thresholds(), blind=view.blind, **detail,
        )  # fmt: skip

    def undo(self, view: View) -> list[int]:
        """Take back the reviewer's latest action; return the rows concerned."""
        row_of = self.findings.row_of
        names = self.case.journal.undo(view.by)
        return [row_of[name] for name in names if name in row_of]


def run_stamp(case: Case) -> tuple[tuple[str, int], ...]:
    """Return what changes when a run begins, ends or is deleted, and little else."""
    stamps = []
    for folder in sorted(case.runs_dir.iterdir()) if case.runs_dir.is_dir() else ():
        result = folder / "result.json"
        if not folder.name.startswith(".") and result.is_file():
            stamps.append((folder.name, result.stat().st_mtime_ns))
    return tuple(stamps)


def _index(found: Findings, key: str) -> int:
    for i, channel in enumerate(found.channels):
        if channel.key == key:
            return i
    known = ", ".join(channel.key for channel in found.channels) or "none yet"
    raise OptionError(f"There is no evidence of {key[:60]!r}.", remedy=f"There is: {known}.")

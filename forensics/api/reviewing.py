"""The review of a case from a program: the queue, and decisions."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from forensics.case import Case
from forensics.case.people import account
from forensics.case.standing import EFFECTIVE, UNDECIDED
from forensics.errors import OptionError
from forensics.runs.plain import plain
from forensics.triage.desk import CODE, Desk, View
from forensics.triage.reasons import reason_sentence
from forensics.triage.summary import summarise

LONGEST_NAME: Final = 60


def review_case(
    case: Case,
    *,
    most: int = 10,
    shown: str | None = None,
    channel: str | None = None,
    decisions: Mapping[str, str] | None = None,
    note: str | None = None,
    undo: bool = False,
    by: str | None = None,
    blind: bool = False,
) -> dict[str, Any]:
    """Take decisions, then list what to look at next.

    Args:
        case: The case.
        most: Samples to list.
        shown: Which, as in :meth:`forensics.triage.desk.Desk.queue`; by default those that a check
            flags and nobody decided about.
        channel: Go by one check only.
        decisions: Sample -> ``keep``, ``flag``, ``unsure`` or empty; one step of ``undo``.
        note: For the samples decided.
        undo: Whether the reviewer's latest decision is taken back first.
        by: Reviewer; the account by default.
        blind: Whether others' decisions are neither shown nor counted.

    Returns:
        Plain values, as ``forensics review --json`` prints them.

    Raises:
        OptionError: No such filter, channel, sample or name.
        CaseError: No such verdict.
    """
    view, desk = View(_name(by), blind=blind), Desk(case)
    undone = [str(desk.findings.ids[row]) for row in desk.undo(view)] if undo else []
    decided = _decide(desk, view, decisions or {}, note)
    rows = desk.queue(view, shown=shown or "suspected", channel=channel)
    codes = desk.codes(view)
    if shown is None:
        rows = rows[codes[rows] == CODE[UNDECIDED]]
    found, told = desk.findings, summarise(desk.held, desk.findings.count)
    outcome: dict[str, Any] = plain(
        {
            "by": view.by,
            "decided": decided,
            "undone": undone,
            "counts": desk.counts(view),
            "channels": [
                {"key": one.key, "run": one.run, "verdict": one.verdict, "cut": one.cut,
                 "flagged": int(one.flagged.sum())}
                for one in found.channels
            ],
            "problems": list(found.problems),
            "total": len(rows),
            "queue": [_line(desk, int(row), EFFECTIVE[int(codes[row])]) for row in rows[:most]],
            "summary": _hidden() if blind else {
                "sentence": told.sentence,
                "agreement": [pair.sentence for pair in told.pairs],
                "disagreements": [{"id": name, "said": said} for name, said in told.disagreements],
            },
        }
    )  # fmt: skip
    return outcome


def _hidden() -> dict[str, Any]:
    sentence = "What others decided is hidden."
    return {"sentence": sentence, "agreement": [], "disagreements": []}


def _decide(desk: Desk, view: View, decisions: Mapping[str, str], note: str | None) -> int:
    """Keep decisions, all of them or none, as one action."""
    row_of = desk.findings.row_of
    unknown = sorted(set(decisions) - row_of.keys())
    if unknown:
        raise OptionError(f"The case has no sample {unknown[0][:80]!r}.")
    return desk.decide_each({row_of[name]: said for name, said in decisions.items()}, view,
                            note=note, chosen="by id")  # fmt: skip


def _line(desk: Desk, row: int, verdict: str) -> dict[str, Any]:
    found = desk.findings
    strength = float(found.strength[row])
    return {
        "row": row,
        "id": str(found.ids[row]),
        "verdict": None if verdict == UNDECIDED else verdict,
        "flags": [c.key for i, c in enumerate(found.channels) if found.flagged[i, row]],
        "strength": None if np.isnan(strength) else round(strength, 6),
        "reason": reason_sentence(found, row),
        "neighbours": [str(found.ids[other]) for other, _ in desk.neighbours(row)[0]],
    }


def _name(by: str | None) -> str:
    name = (by or "").strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise OptionError(f"A reviewer's name has up to {LONGEST_NAME} visible characters.")
    return name or account()

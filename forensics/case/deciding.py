"""How decisions are appended to the journal and taken back: every action one transaction."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forensics import __version__
from forensics.case.journal_tables import AuditEntry, Decision
from forensics.runs.plain import plain

DECIDE: Final = "decide"
UNDO: Final = "undo"
Said = tuple[str | None, str | None]  # verdict, note; None = as this person said before
_AT_ONCE: Final = 500  # SQLite bounds how many values a statement may have


class Row(NamedTuple):
    """One line of the table of decisions."""

    id: int
    sample: str
    verdict: str
    note: str
    by: str
    at: str


def write_decisions(
    session: Session, said: Mapping[str, Said], by: str, what: str, detail: Mapping[str, Any]
) -> int:
    """Append decisions of one person and their entry in the audit trail.

    Args:
        session: Inside a transaction.
        said: Sample -> verdict and note.
        by: The person.
        what: ``decide`` or ``undo``.
        detail: What else the audit trail says.

    Returns:
        Samples written.
    """
    if not said:
        return 0
    before, at = _earlier(session, list(said), by), now()
    made = [
        Decision(
            sample=name, by=by, at=at,
            verdict=before.get(name, ("", ""))[0] if verdict is None else verdict,
            note=before.get(name, ("", ""))[1] if note is None else note,
        )
        for name, (verdict, note) in said.items()
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    ids = sorted(one.id for one in made)
    told = {"n": len(made), "decisions": [ids[0], ids[-1]]} | dict(detail)
    verdicts = {one.verdict for one in made}
    told |= {"sample": made[0].sample} if len(made) == 1 else {}
    told |= {"verdict": verdicts.pop()} if len(verdicts) == 1 else {}
    session.add(AuditEntry(at=at, who=by, what=what, detail=plain(told), version=__version__))
    return len(made)


def undo_decisions(session: Session, by: str) -> list[str]:
    """Write anew what held before the latest action of a person that was not undone yet."""
    entry = _latest_action(session, by)
    if entry is None:
        return []
    first, last = (int(number) for number in entry.detail["decisions"])
    mine = select(Decision.sample).where(Decision.by == by, Decision.id.between(first, last))
    names = list(session.scalars(mine.order_by(Decision.id)))
    before = _earlier(session, names, by, below=first)
    back: dict[str, Said] = {name: before.get(name, ("", "")) for name in names}
    write_decisions(session, back, by, UNDO, {"of": entry.id})
    return names


def now() -> str:
    """Return the time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _latest_action(session: Session, by: str) -> AuditEntry | None:
    undone: set[Any] = set()
    mine = select(AuditEntry).where(AuditEntry.who == by, AuditEntry.what.in_((DECIDE, UNDO)))
    for entry in session.scalars(
        mine.order_by(AuditEntry.id.desc()).execution_options(yield_per=64)
    ):
        if entry.what == UNDO:
            undone.add(entry.detail.get("of"))
        elif entry.id not in undone and _is_range(entry.detail.get("decisions")):
            return entry
    return None


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value)


def _earlier(
    session: Session, names: list[str], by: str, below: int | None = None
) -> dict[str, tuple[str, str]]:
    """Return what a person said last of samples: sample -> verdict and note."""
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(names), _AT_ONCE):
        part = names[start : start + _AT_ONCE]
        chosen = select(func.max(Decision.id)).where(Decision.by == by, Decision.sample.in_(part))
        if below is not None:
            chosen = chosen.where(Decision.id < below)
        last = select(Decision.sample, Decision.verdict, Decision.note)
        last = last.where(Decision.id.in_(chosen.group_by(Decision.sample)))
        found |= {name: (verdict, note) for name, verdict, note in session.execute(last)}
    return found

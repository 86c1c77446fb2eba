"""``case.sqlite``: who did what, and what people decided about samples.

Written by the app and the command line only. Workers write run folders, so that no job ever waits
for a lock on this file.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from forensics import __version__
from forensics.case.deciding import DECIDE, Row, now, undo_decisions, write_decisions
from forensics.case.journal_tables import VERDICTS, AuditEntry, Base, Decision
from forensics.case.people import account
from forensics.errors import CaseError
from forensics.runs.plain import plain

SCHEMA = 1
BUSY_MILLISECONDS = 10_000


class Journal:
    """The audit trail and the decisions of a case.

    Args:
        path: The database; made at the first use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine: Engine | None = None

    def record(self, what: str, *, who: str | None = None, **detail: Any) -> None:
        """Append to the audit trail."""
        entry = AuditEntry(
            at=now(), who=who or account(), what=what, detail=plain(detail), version=__version__
        )
        with self._session() as session, session.begin():
            session.add(entry)

    def entries(self, what: str | None = None) -> list[AuditEntry]:
        """Read the audit trail, oldest first."""
        query = select(AuditEntry).order_by(AuditEntry.id)
        if what is not None:
            query = query.where(AuditEntry.what == what)
        with self._session() as session:
            return list(session.scalars(query))

    def decide(
        self, sample: str, verdict: str, *, note: str | None = None, by: str | None = None
    ) -> None:
        """Keep a decision about a sample; see :meth:`decide_many`."""
        self.decide_many([sample], verdict, note=note, by=by)

    def decide_many(
        self,
        samples: Sequence[str],
        verdict: str | None,
        *,
        note: str | None = None,
        by: str | None = None,
        **detail: Any,
    ) -> int:
        """Keep the same decision about several samples: all of them or none.

        Args:
            samples: Their ids.
            verdict: ``keep``, ``flag``, ``unsure``, empty to take it back, or ``None`` for the one
                that this person gave before.
            note: In their words; ``None`` keeps what this person wrote before.
            by: Account or chosen name.
            detail: For the audit trail: thresholds, and how the samples were chosen.

        Returns:
            Samples decided.

        Raises:
            CaseError: There is no such verdict.
        """
        return self.decide_each(dict.fromkeys(samples, verdict), note=note, by=by, **detail)

    def decide_each(
        self,
        verdicts: Mapping[str, str | None],
        *,
        note: str | None = None,
        by: str | None = None,
        **detail: Any,
    ) -> int:
        """Keep a decision about each of several samples as one action; see :meth:`decide_many`.

        Args:
            verdicts: Sample -> verdict.
            note: For all of them.
            by: Account or chosen name.
            detail: For the audit trail.

        Returns:
            Samples decided.

        Raises:
            CaseError: There is no such verdict.
        """
        for verdict in verdicts.values():
            if verdict is not None and verdict not in VERDICTS:
                raise CaseError(f"{verdict!r} is no verdict.", remedy="Use keep, flag or unsure.")
        said = {name: (verdict, note) for name, verdict in verdicts.items()}
        with self._writing() as session:
            return write_decisions(session, said, by or account(), DECIDE, detail)

    def undo(self, by: str | None = None) -> list[str]:
        """Take back the latest decision of a person that still holds, single or batch.

        Nothing is deleted: what held before is written anew.

        Returns:
            The samples concerned; empty where there is nothing to take back.
        """
        with self._writing() as session:
            return undo_decisions(session, by or account())

    def decisions(self) -> dict[str, Decision]:
        """Return the latest decision about each sample, whoever made it.

        Where several people decided, :func:`forensics.case.standing.standing` says what holds.
        """
        latest = {row.sample: row for row in self.every_decision()}
        return {sample: row for sample, row in latest.items() if row.verdict}

    def every_decision(self) -> list[Decision]:
        """Return all decisions, oldest first: those that were changed or taken back too."""
        with self._session() as session:
            return list(session.scalars(select(Decision).order_by(Decision.id)))

    def decisions_after(self, last: int) -> list[Row]:
        """Return decisions made after one of a number, oldest first.

        Returns:
            Tuples of ``id``, ``sample``, ``verdict``, ``note``, ``by``, ``at``.
        """
        query = select(*Decision.__table__.columns).where(Decision.id > last).order_by(Decision.id)
        with self._session() as session:
            return [Row(*found) for found in session.execute(query)]

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Give a session whose reads and writes nobody else's writes come between."""
        with self._session() as session, session.begin():
            session.execute(text("BEGIN IMMEDIATE"))
            yield session

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            if self._engine is None:
                self._engine = _open(self._path)
            with Session(self._engine, expire_on_commit=False) as session:
                yield session
        except DatabaseError as error:
            raise CaseError(
                f"{self._path} cannot be used: {error.orig}.",
                remedy="If it is damaged, move it away; a new one is begun.",
            ) from error


def _open(path: Path) -> Engine:
    path.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    event.listen(engine, "connect", _configure)
    with engine.begin() as connection:
        version = connection.execute(text("PRAGMA user_version")).scalar_one()
        if version not in (0, SCHEMA):
            raise CaseError(
                f"{path} has schema {version}; this program knows {SCHEMA}.",
                remedy="Open the case with the version of the program that wrote it.",
            )
        Base.metadata.create_all(connection)
        connection.execute(text(f"PRAGMA user_version = {SCHEMA}"))
    return engine


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA trusted_schema = OFF")
    cursor.close()

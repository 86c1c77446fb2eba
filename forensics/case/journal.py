"""``case.sqlite``: who did what, and what people decided about samples.

Written by the app and the command line only. Workers write run folders, so that no job ever waits
for a lock on this file.
"""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Engine, create_engine, event, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from forensics import __version__
from forensics.errors import CaseError
from forensics.runs.plain import plain

SCHEMA = 1
BUSY_MILLISECONDS = 10_000


class Base(DeclarativeBase):
    """Base of the tables."""


class AuditEntry(Base):
    """One thing that somebody did; never changed afterwards.

    Attributes:
        at: When, ISO 8601, UTC.
        who: Account or chosen name.
        what: A short verb: ``create``, ``scan``, ``move-cut``, ``reveal``, ``export``.
        detail: Its numbers: run, threshold, counts.
        version: Version of this program.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str]
    who: Mapped[str]
    what: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[str]


class Decision(Base):
    """What somebody decided about a sample; the latest of a sample holds.

    Attributes:
        sample: Its id.
        verdict: ``keep``, ``flag``, ``unsure`` or empty for taken back.
        note: In their words.
        by: Account or chosen name.
        at: When, ISO 8601, UTC.
    """

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    sample: Mapped[str] = mapped_column(index=True)
    verdict: Mapped[str]
    note: Mapped[str]
    by: Mapped[str]
    at: Mapped[str]


VERDICTS = ("keep", "flag", "unsure", "")


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
            at=_now(), who=who or account(), what=what, detail=plain(detail), version=__version__
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

    def decide(self, sample: str, verdict: str, *, note: str = "", by: str | None = None) -> None:
        """Keep a decision about a sample.

        Raises:
            CaseError: There is no such verdict.
        """
        if verdict not in VERDICTS:
            raise CaseError(f"{verdict!r} is no verdict.", remedy="Use keep, flag or unsure.")
        made = Decision(sample=sample, verdict=verdict, note=note, by=by or account(), at=_now())
        with self._session() as session, session.begin():
            session.add(made)

    def decisions(self) -> dict[str, Decision]:
        """Return the decision that holds for each sample."""
        latest = {row.sample: row for row in self.every_decision()}
        return {sample: row for sample, row in latest.items() if row.verdict}

    def every_decision(self) -> list[Decision]:
        """Return all decisions, oldest first: those that were changed or taken back too."""
        with self._session() as session:
            return list(session.scalars(select(Decision).order_by(Decision.id)))

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


def account() -> str:
    """Return the name of whoever runs this program."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "unknown"


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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

"""The tables of ``case.sqlite``; rows are appended, never changed or deleted."""

from typing import Any, Final

from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VERDICTS: Final = ("keep", "flag", "unsure", "")


class Base(DeclarativeBase):
    """Base of the tables."""


class AuditEntry(Base):
    """One thing that somebody did; never changed afterwards.

    Attributes:
        at: When, ISO 8601, UTC.
        who: Account or chosen name.
        what: A short verb: ``create``, ``scan``, ``move-cut``, ``reveal``, ``export``, ``decide``,
            ``undo``.
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
    """What somebody decided about a sample; the latest of each person holds for that person.

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

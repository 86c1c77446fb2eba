"""What people decided about samples, and who did what on the case: from the journal."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from forensics.case import Case
from forensics.case.deciding import DECIDE
from forensics.case.journal_tables import AuditEntry
from forensics.report.blocks import Block, Column, Lines, Table
from forensics.report.facts import Section
from forensics.report.reading import short
from forensics.triage import Summary, summary

MOST_DECISIONS = 300
MOST_ENTRIES = 300
ALONE = "No sample was decided by two people."
NOBODY = "Nobody has decided about a sample yet."
WORDS = {"keep": "keep", "flag": "flag", "unsure": "unsure"}


def reviewed(case: Case) -> Section:
    """Return what people decided: how many by whom, how far they agree, where they differ."""
    found = summary(case)
    if not found.opinions:
        blocks: tuple[Block, ...] = (Lines(key="none", title="", items=(NOBODY,)),)
    else:
        blocks = (_counts(found), _agreement(found), _decided(found))
    return Section(key="reviewers", title="Decisions of reviewers", run=None, blocks=blocks)


def audited(case: Case) -> Section:
    """Return the audit trail: who did what, when, with which version."""
    rows = [_told(list(entries)) for _, entries in groupby(case.journal.entries(), key=_belongs)]
    shown = rows[-MOST_ENTRIES:]
    table = Table(
        key="audit", title="",
        columns=(
            Column(key="at", title="When (UTC)"), Column(key="who", title="Who"),
            Column(key="what", title="What"), Column(key="detail", title="Detail"),
            Column(key="version", title="Version"),
        ),
        rows=tuple(shown),
        note="" if len(shown) == len(rows) else f"The last {len(shown)} of {len(rows):,}.",
    )  # fmt: skip
    return Section(key="audit", title="Chain of custody", run=None, blocks=(table,))


def _counts(found: Summary) -> Table:
    return Table(
        key="counts", title="Who decided what",
        columns=(
            Column(key="by", title="Reviewer"),
            *(Column(key=key, title=word.capitalize(), kind="count")
              for key, word in WORDS.items()),
            Column(key="notes", title="Notes", kind="count"),
        ),
        rows=tuple(
            (short(one.name, 60), *(one.counts[verdict] for verdict in WORDS), one.notes)
            for one in found.reviewers
        ),
        note=found.sentence,
    )  # fmt: skip


def _agreement(found: Summary) -> Lines:
    """Say how often two reviewers of the same sample say the same, and how to read it."""
    told = tuple(short(pair.sentence, 400) for pair in found.pairs)
    items = (*told, found.reading) if told else (ALONE,)
    return Lines(key="agreement", title="Agreement", items=items)


def _decided(found: Summary) -> Table:
    """List every person's word on a sample, the latest last; samples where they differ say so."""
    apart = {name for name, _ in found.disagreements}
    rows = [
        (one.at, name, person, one.verdict, one.note)
        for name, people in found.opinions.items()
        for person, one in people.items()
    ]
    shown = sorted(rows)[-MOST_DECISIONS:]
    return Table(
        key="decisions", title="Decisions that hold",
        columns=(
            Column(key="sample", title="Sample"), Column(key="verdict", title="Decision"),
            Column(key="note", title="Note"), Column(key="by", title="By"),
            Column(key="at", title="When (UTC)"), Column(key="apart", title="Reviewers differ"),
        ),
        rows=tuple(
            (short(name, 80), WORDS.get(verdict, short(verdict, 20)), short(note, 400),
             short(person, 60), at[:19].replace("T", " "), "yes" if name in apart else "")
            for at, name, person, verdict, note in shown
        ),
        note="" if len(shown) == len(rows) else f"The last {len(shown)} of {len(rows):,}.",
    )  # fmt: skip


def _belongs(entry: AuditEntry) -> tuple[object, ...]:
    """Decisions in a row by one person are one line of the trail; a batch has its own."""
    detail = entry.detail if isinstance(entry.detail, dict) else {}
    single = entry.what == DECIDE and isinstance(detail.get("sample"), str)
    return entry.who, entry.what, entry.version, *(() if single else (entry.id,))


def _told(entries: Sequence[AuditEntry]) -> tuple[str, ...]:
    """Return the line of entries that belong together."""
    first, last = (one.at[:19].replace("T", " ") for one in (entries[0], entries[-1]))
    at, detail = first, _detail(entries[0].detail)
    if len(entries) > 1:
        at = first if first == last else f"{first} to {last}"
        detail = _several([entry.detail for entry in entries])
    who, what, version = entries[0].who, entries[0].what, entries[0].version
    return at, short(who, 60), short(what, 60), short(detail, 300), short(version, 30)


def _several(details: Sequence[dict[str, Any]]) -> str:
    """Count decisions about single samples; one without a verdict is a note, or takes it back."""
    counts = Counter(str(one.get("verdict") or "no verdict") for one in details)
    told = ", ".join(f"{word} {count:,}" for word, count in counts.most_common())
    samples = len({one["sample"] for one in details})
    about = f"{samples:,} samples" if samples > 1 else "one sample"
    return f"{len(details):,} decisions about {about}: {told}"


def _detail(detail: Any) -> str:
    if not isinstance(detail, dict):
        return ""
    return ", ".join(f"{key} {value}" for key, value in detail.items()
                     if value is not None and not isinstance(value, dict | list))  # fmt: skip

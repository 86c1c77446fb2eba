"""What people decided about samples, and who did what on the case: from the journal."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from forensics.case import Case, Decision
from forensics.report.blocks import Block, Column, Lines, Table
from forensics.report.facts import Section
from forensics.report.reading import short

MOST_DECISIONS = 300
MOST_ENTRIES = 300
NOBODY = "Nobody has decided about a sample yet."
WORDS = {"keep": "keep", "flag": "flag", "unsure": "unsure"}


def reviewed(case: Case) -> Section:
    """Return the decisions that hold: how many by whom, where two agree, and which."""
    every = case.journal.every_decision()
    by_person: dict[str, dict[str, Decision]] = defaultdict(dict)
    for one in every:
        by_person[one.by][one.sample] = one
    latest = {one.sample: one for one in every}
    standing = [one for one in latest.values() if one.verdict]
    if not standing:
        blocks: tuple[Block, ...] = (Lines(key="none", title="", items=(NOBODY,)),)
    else:
        blocks = (_counts(by_person), _agreement(by_person), _decided(standing))
    return Section(key="reviewers", title="Decisions of reviewers", run=None, blocks=blocks)


def audited(case: Case) -> Section:
    """Return the audit trail: who did what, when, with which version."""
    entries = case.journal.entries()
    shown = entries[-MOST_ENTRIES:]
    table = Table(
        key="audit", title="",
        columns=(
            Column(key="at", title="When (UTC)"), Column(key="who", title="Who"),
            Column(key="what", title="What"), Column(key="detail", title="Detail"),
            Column(key="version", title="Version"),
        ),
        rows=tuple(
            (entry.at[:19].replace("T", " "), short(entry.who, 60), short(entry.what, 60),
             short(_detail(entry.detail), 300), short(entry.version, 30))
            for entry in shown
        ),
        note="" if len(shown) == len(entries) else f"The last {len(shown)} of {len(entries):,}.",
    )  # fmt: skip
    return Section(key="audit", title="Chain of custody", run=None, blocks=(table,))


def _counts(by_person: dict[str, dict[str, Decision]]) -> Table:
    rows = []
    for person, decided in sorted(by_person.items()):
        found = Counter(one.verdict for one in decided.values() if one.verdict)
        rows.append((short(person, 60), *(found[verdict] for verdict in WORDS)))
    return Table(
        key="counts", title="Who decided what",
        columns=(Column(key="by", title="Reviewer"),
                 *(Column(key=key, title=word.capitalize(), kind="count")
                   for key, word in WORDS.items())),
        rows=tuple(rows),
    )  # fmt: skip


def _agreement(by_person: dict[str, dict[str, Decision]]) -> Lines:
    """Say how often two reviewers of the same sample say the same, and what chance would give."""
    people, told = sorted(by_person), []
    for place, one in enumerate(people):
        for two in people[place + 1 :]:
            pairs = [
                (by_person[one][name].verdict, by_person[two][name].verdict)
                for name in by_person[one].keys() & by_person[two].keys()
                if by_person[one][name].verdict and by_person[two][name].verdict
            ]
            if pairs:
                told.append(_pair(short(one, 40), short(two, 40), pairs))
    return Lines(key="agreement", title="Agreement",
                 items=tuple(told) or ("No sample was decided by two people.",))  # fmt: skip


def _pair(one: str, two: str, pairs: Sequence[tuple[str, str]]) -> str:
    n, same = len(pairs), sum(a == b for a, b in pairs)
    chance = sum(
        (sum(a == word for a, _ in pairs) / n) * (sum(b == word for _, b in pairs) / n)
        for word in WORDS
    )
    kappa = "not defined" if chance == 1 else f"{(same / n - chance) / (1 - chance):.2f}"
    return f"{one} and {two} agree on {same:,} of {n:,} samples (Cohen’s kappa {kappa})."


def _decided(decisions: Sequence[Decision]) -> Table:
    shown = sorted(decisions, key=lambda one: (one.at, one.sample))[-MOST_DECISIONS:]
    return Table(
        key="decisions", title="Decisions that hold",
        columns=(
            Column(key="sample", title="Sample"), Column(key="verdict", title="Decision"),
            Column(key="note", title="Note"), Column(key="by", title="By"),
            Column(key="at", title="When (UTC)"),
        ),
        rows=tuple(
            (short(one.sample, 80), WORDS.get(one.verdict, short(one.verdict, 20)),
             short(one.note, 400), short(one.by, 60), one.at[:19].replace("T", " "))
            for one in shown
        ),
        note="" if len(shown) == len(decisions)
        else f"The last {len(shown)} of {len(decisions):,}.",
    )  # fmt: skip


def _detail(detail: Any) -> str:
    if not isinstance(detail, dict):
        return ""
    return ", ".join(f"{key} {value}" for key, value in detail.items()
                     if value is not None and not isinstance(value, dict | list))  # fmt: skip

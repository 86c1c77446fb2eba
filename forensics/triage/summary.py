"""What people decided in a case, for reports and panels: reviewers, agreement, disagreements."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from forensics.case import Case
from forensics.case.standing import DISAGREEMENT, EFFECTIVE, UNDECIDED, Opinion, Standing, standing
from forensics.statistics.agreement import Agreement, agreement

READING: Final = (
    "Raw agreement counts equal verdicts. Cohen's kappa takes away what chance would give: 1 = "
    "always the same, 0 = as chance, below 0 = less. Neither says who is right."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """One person.

    Attributes:
        name: Account or chosen name; untrusted text.
        counts: ``keep``, ``flag``, ``unsure`` -> samples with that verdict of theirs now.
        decided: Their sum.
        notes: Samples with a note of theirs.
        last: When they spoke last, ISO 8601, UTC.
    """

    name: str
    counts: dict[str, int]
    decided: int
    notes: int
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """Two people on the samples that both judged.

    Attributes:
        first: A name.
        second: Another.
        agreement: How far they agree.
        table: Verdict of the first -> verdict of the second -> samples.
        sentence: The same in words.
    """

    first: str
    second: str
    agreement: Agreement
    table: dict[str, dict[str, int]]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What people decided in a case.

    Attributes:
        samples: Samples of the case.
        counts: ``keep``, ``flag``, ``unsure``, ``disagreement``, ``undecided`` -> samples; they sum
            to ``samples``.
        reviewers: By name.
        pairs: Every two people who judged some sample both.
        disagreements: Sample, and person -> verdict, where verdicts differ; in order of ids.
        notes: Sample, person and text of each note that holds; in order of ids.
        opinions: Sample -> person -> what this person says now.
        sentence: The counts in words.
        reading: How agreement is read.
    """

    samples: int
    counts: dict[str, int]
    reviewers: tuple[Reviewer, ...]
    pairs: tuple[PairAgreement, ...]
    disagreements: tuple[tuple[str, dict[str, str]], ...]
    notes: tuple[tuple[str, str, str], ...]
    opinions: Mapping[str, Mapping[str, Opinion]]
    sentence: str
    reading: str = READING


def summary(case: Case) -> Summary:
    """Read the journal of a case and say what people decided; nothing is written."""
    return summarise(standing(case.journal.decisions_after(0)), len(case.catalog))


def summarise(held: Standing, samples: int) -> Summary:
    """Say what people decided.

    Args:
        held: Everybody's latest word.
        samples: Samples of the case.
    """
    found = held.verdicts()
    counts = dict.fromkeys(EFFECTIVE, 0) | Counter(found.values())
    counts[UNDECIDED] = max(0, samples - len(found))
    names = sorted(held.opinions)
    apart = [name for name in names if found.get(name) == DISAGREEMENT]
    return Summary(
        samples=samples,
        counts=counts,
        reviewers=tuple(_reviewer(held, name) for name in held.people()),
        pairs=tuple(_pairs(held)),
        disagreements=tuple((name, _said(held.opinions[name])) for name in apart),
        notes=tuple(
            (name, by, one.note) for name in names
            for by, one in sorted(held.opinions[name].items()) if one.note
        ),
        opinions=held.opinions,
        sentence=_sentence(counts, len(held.people())),
    )  # fmt: skip


def verdicts_of(held: Standing, person: str) -> dict[str, str]:
    """Return sample -> verdict of one person."""
    return {
        name: people[person].verdict
        for name, people in held.opinions.items()
        if person in people and people[person].verdict
    }


def _reviewer(held: Standing, person: str) -> Reviewer:
    mine = [people[person] for people in held.opinions.values() if person in people]
    said = Counter(one.verdict for one in mine if one.verdict)
    return Reviewer(
        name=person,
        counts={verdict: said[verdict] for verdict in ("keep", "flag", "unsure")},
        decided=said.total(),
        notes=sum(bool(one.note) for one in mine),
        last=max(one.at for one in mine),
    )


def _pairs(held: Standing) -> list[PairAgreement]:
    said = {person: verdicts_of(held, person) for person in held.people()}
    found = []
    for first, second in combinations(sorted(said), 2):
        both = sorted(said[first].keys() & said[second].keys())
        if both:
            found.append(_pair(first, second, [(said[first][n], said[second][n]) for n in both]))
    return found


def _pair(first: str, second: str, pairs: list[tuple[str, str]]) -> PairAgreement:
    found = agreement([one for one, _ in pairs], [two for _, two in pairs])
    seen = Counter(pairs)
    words = ("keep", "flag", "unsure")
    return PairAgreement(
        first=first,
        second=second,
        agreement=found,
        table={one: {two: seen[one, two] for two in words} for one in words},
        sentence=_agreement_sentence(first, second, found),
    )


def _agreement_sentence(first: str, second: str, found: Agreement) -> str:
    # NaN differs from itself: both gave one and the same verdict throughout.
    kappa = "is not defined, as only one verdict was given"
    if found.kappa == found.kappa:
        kappa = f"{found.kappa:.2f}".replace("-", "−")
    return (
        f"{first} and {second} agree on {found.same:,} of {found.n:,} samples "
        f"({100 * found.raw:.0f} %, 95 % interval {100 * found.low:.0f} to "
        f"{100 * found.high:.0f} %); Cohen's kappa {kappa}."
    )


def _said(people: Mapping[str, Opinion]) -> dict[str, str]:
    return {by: one.verdict for by, one in sorted(people.items()) if one.verdict}


def _sentence(counts: Mapping[str, int], people: int) -> str:
    decided = sum(counts[name] for name in EFFECTIVE if name != UNDECIDED)
    if not decided:
        return "Nobody has decided about a sample yet."
    total = decided + counts[UNDECIDED]
    apart = counts[DISAGREEMENT]
    told = f"; reviewers disagree on {apart:,}" if apart else ""
    return (
        f"{people} {'person' if people == 1 else 'people'} decided about {decided:,} of {total:,} "
        f"samples: {counts['flag']:,} flagged, {counts['keep']:,} kept, {counts['unsure']:,} "
        f"unsure{told}."
    )

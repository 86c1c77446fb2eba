"""Everything that a report says, before it is written as a page or as JSON."""

from dataclasses import dataclass, field
from typing import Any

from forensics.report.blocks import Block, Rate

SCHEMA = "triggerlens.report/1"
"""Name and version of the JSON twin; a change that readers must know of makes a new number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """The content hash of something that was examined."""

    what: str
    sha256: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the case examines, as its ``case.json`` says.

    Attributes:
        kind: Kind of the model, in words.
        model: URI; long beginnings of paths are named instead of spelt out.
        base: The model before tuning; ``None`` where it is not at hand.
        data: URI of the data set.
        data_format: Its reader.
        samples: Rows, or turns, that can be used.
        errors: Rows that cannot.
        turns: Which turns of conversations are samples: ``first`` or ``each``.
        unread: What was not read, in words; empty if nothing.
        created: When the case was made, ISO 8601, UTC.
        preprocessing: The model's own image settings in words; ``None`` if it states none.
        hashes: Of data, model and base, for those on the machine that made the case.
        row_errors: The first rows that cannot be used: source, line, what is wrong.
        versions: Of the software that made the case.
        command: The command line that makes such a case; ``None`` where its data lies inside it.
    """

    kind: str
    model: str
    base: str | None
    data: str
    data_format: str
    samples: int
    errors: int
    turns: str
    unread: str
    created: str
    preprocessing: str | None
    hashes: tuple[Hashed, ...]
    row_errors: tuple[tuple[str, int, str], ...]
    versions: dict[str, str]
    command: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One run and what it concludes.

    Attributes:
        run: Its id.
        method: Registry name.
        title: What the method is called; says so where it is a reconstruction.
        kind: ``scan``, ``transplant``, ``repair``, ``tune``, ``evaluate``, or empty.
        paper: Title and arXiv id; empty without one.
        created: When it was started, ISO 8601, UTC.
        state: ``finished``, or how else it stands.
        verdict: ``suspicious``, ``no evidence``, ``inconclusive``; ``None`` for what gives none.
        reason: Code of the deciding test.
        sentence: What was found, built from measurements.
        not_covered: What this method cannot see.
        evidence: The numbers behind the verdict, as the method wrote them.
        options: Those that are not the defaults.
        command: The command line that does it again; ``None`` if its method is not installed.
        n: Samples looked at.
        failed: Samples that could not be read.
        flagged: Samples flagged.
        seconds: How long it took.
        versions: Of the software that made it.
        newest: Whether it is the latest finished run of its method with these options.
    """

    run: str
    method: str
    title: str
    kind: str
    paper: str
    created: str
    state: str
    verdict: str | None = None
    reason: str = ""
    sentence: str = ""
    not_covered: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    command: str | None = None
    n: int | None = None
    failed: int | None = None
    flagged: int | None = None
    seconds: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    newest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sure:
    """One measurement that a conclusion rests on, beside its control.

    Attributes:
        run: Id of the run.
        what: What was measured.
        rate: How often.
        control: What it is compared with; empty without a control.
        control_rate: How often there.
    """

    run: str
    what: str
    rate: Rate
    control: str = ""
    control_rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The evidence of one run, or of several repairs."""

    key: str
    title: str
    run: RunFacts | None
    blocks: tuple[Block, ...] = ()
    sure: tuple[Sure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The bottom line: what the verdicts of the newest runs say together.

    Attributes:
        verdict: The most suspicious of them; ``None`` without any.
        headline: It in a few words.
        sentences: What methods found, whether they agree, and what repairs changed.
    """

    verdict: str | None
    headline: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        key: ``scan``, ``transplant``, ``self-test``, ``review``, ``repair``, ``sign``.
        title: For people.
        done: Whether the report tells of it.
        said: What was done, or why it matters.
        tab: Where the page starts it.
        method: Whose form starts it; empty if none does.
        command: The command line that starts it.
    """

    key: str
    title: str
    done: bool
    said: str
    tab: str
    method: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One sign-off.

    Attributes:
        name: Who signed; untrusted text, as role and statement are.
        role: In what capacity; may be empty.
        statement: In their words; may be empty.
        at: When, ISO 8601, UTC.
        account: Whose account wrote the line.
        facts_sha256: Hash of what was signed.
        holds: Whether the findings are still the same.
        changes: What differs now, in words; empty if it holds.
    """

    name: str
    role: str
    statement: str
    at: str
    account: str
    facts_sha256: str
    holds: bool
    changes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All facts of a report. The page and the JSON twin are written from it alone.

    Attributes:
        schema: Name and version of the twin's format.
        tool: Version of the program that wrote the report.
        generated: When, ISO 8601, UTC.
        title: Of the case.
        story: What is known of its origin.
        revealed: Whether ground truth was read for it.
        examined: What was examined.
        conclusion: The bottom line.
        verdicts: The newest run of each method and options that gives a verdict.
        sure: Rates, intervals and controls.
        sections: Evidence, method by method; repairs last.
        self_test: What a self-test found; ``None`` while there was none.
        reviewers: What people decided.
        steps: What an investigation has, and which of it this case has done.
        signatures: Who stands for the findings, and what is newer than each signature.
        facts_sha256: Hash of the findings, see :mod:`forensics.report.signing`; what is signed.
        audit: Who did what, when.
        runs: All runs, those that did not finish among them.
        truth: What is known of the planted backdoor; ``None`` unless revealed.
        limits: What the report as a whole cannot show.
        versions: Of the software that wrote it.
    """

    schema: str = SCHEMA
    tool: str
    generated: str
    title: str
    story: str
    revealed: bool
    examined: Examined
    conclusion: Conclusion
    verdicts: tuple[RunFacts, ...]
    sure: tuple[Sure, ...]
    sections: tuple[Section, ...]
    self_test: Section | None
    reviewers: Section
    steps: tuple[Step, ...]
    signatures: tuple[Signature, ...]
    facts_sha256: str
    audit: Section
    runs: tuple[RunFacts, ...]
    truth: Section | None
    limits: tuple[str, ...]
    versions: dict[str, str]

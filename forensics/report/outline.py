"""What a report would say in a few lines, without its evidence: for a page that opens at once."""

from dataclasses import dataclass
from typing import Any

from forensics.case import Case
from forensics.report.checklist import SELF_TEST, checklist
from forensics.report.conclusion import conclude
from forensics.report.facts import Conclusion, RunFacts, Signature, Step
from forensics.report.hidden import without_truth
from forensics.report.runs import in_order, newest, result_of, run_facts
from forensics.report.signing import findings, signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The bottom line of a case, and what is missing.

    Attributes:
        conclusion: As in the report.
        steps: What an investigation has.
        signatures: Oldest first.
        facts_sha256: Hash of the findings as they are now.
        self_test: Result of the newest self-test and its run; ``None`` without one.
        finished: Runs that the report tells of.
    """

    conclusion: Conclusion
    steps: tuple[Step, ...]
    signatures: tuple[Signature, ...]
    facts_sha256: str
    self_test: tuple[RunFacts, dict[str, Any]] | None
    finished: int


def outline(case: Case) -> Outline:
    """Read the results of all runs; ground truth is not read."""
    runs = case.runs()
    fresh = {run.id for run in newest(runs)}
    told: list[tuple[RunFacts, dict[str, Any] | None]] = []
    for run in runs:
        result = result_of(run)
        shown = None if result is None else without_truth(result, run.options)
        told.append((run_facts(case, run, shown, is_newest=run.id in fresh), shown))
    said = [facts for facts, _ in told if facts.newest and facts.verdict]
    repairs = [facts for facts, result in told
               if facts.newest and facts.kind == "repair" and result]  # fmt: skip
    tested = [(facts, result) for facts, result in told if facts.kind == SELF_TEST and result]
    signed = tuple(signatures(case))
    return Outline(
        conclusion=conclude(
            in_order([facts for facts in said if facts.kind != SELF_TEST]), repairs
        ),
        steps=checklist(case, [facts for facts, _ in told], len(case.journal.decisions()), signed),
        signatures=signed,
        facts_sha256=findings(case).facts_sha256,
        self_test=(tested[0][0], tested[0][1] or {}) if tested else None,
        finished=sum(facts.state == "finished" for facts, _ in told),
    )

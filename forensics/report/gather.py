"""From a case folder to the facts of a report: finished runs are read, nothing is computed anew."""

from datetime import datetime
from typing import Any, Final

from forensics import __version__
from forensics.case import Case
from forensics.registry import methods
from forensics.report.checklist import SELF_TEST, checklist
from forensics.report.conclusion import conclude
from forensics.report.examined import examined
from forensics.report.facts import Report, RunFacts, Section
from forensics.report.hidden import without_truth
from forensics.report.pictures import Pictures
from forensics.report.revealed import revealed
from forensics.report.reviewers import audited, reviewed
from forensics.report.runs import in_order, newest, result_of, run_facts
from forensics.report.sections.context import Source
from forensics.report.sections.repairs import repair_section
from forensics.report.sections.table import section_of
from forensics.report.signing import findings, signatures
from forensics.runs import Run
from forensics.runs.versions import versions

MOST_OF_A_METHOD = 3  # sections; further runs stand in the list of runs
MOST_REPAIRS = 16
NO_SECTION: Final = ("repair", "tune", SELF_TEST)
GENERAL_LIMITS = (
    "The report tells of the model and the data whose hashes stand above, and of nothing else.",
    "Each method sees one kind of trace. What none of them covers is not ruled out.",
    "Verdicts are decisions of rules on measurements. They are reasons to act, not proof of "
    "intent, and say nothing of who planted what.",
    "A reconstructed trigger works; it need not be the attacker’s.",
    "“No evidence” is not “clean”.",
)
Found = list[tuple[Run, RunFacts, dict[str, Any] | None]]


def gather(case: Case, *, generated: datetime, reveal: bool = False) -> Report:
    """Collect everything that a report says.

    Args:
        case: The case. Its runs, journal and pictures are read; its model and data set are not.
        generated: When the report is made, with a time zone.
        reveal: Whether ground truth may be read. Without it neither ``truth.parquet`` nor
            ``known.json`` is opened, and no score that a run computed from them is told.
    """
    runs = case.runs(damaged=True)
    fresh = {run.id for run in newest(runs)}
    found: Found = [_read(case, run, run.id in fresh, reveal) for run in runs]
    pictures = Pictures(case)
    tested = _self_test(case, found, pictures)
    sections = _sections(case, found, pictures)
    said = [facts for _, facts, _ in found if facts.newest and facts.verdict]
    verdicts = in_order([facts for facts in said if facts.kind != SELF_TEST])
    repairs = [facts for _, facts, result in found
               if facts.newest and facts.kind == "repair" and result]  # fmt: skip
    usable = [(facts, result) for _, facts, result in found if result is not None]
    signed = tuple(signatures(case))
    runs_told = tuple(facts for _, facts, _ in found)
    decided = len(case.journal.decisions())
    return Report(
        tool=__version__,
        generated=generated.isoformat(timespec="seconds"),
        title=case.manifest.title or case.folder.name,
        story=case.manifest.story,
        revealed=reveal,
        examined=examined(case),
        conclusion=conclude(verdicts, repairs),
        verdicts=tuple(verdicts),
        sure=tuple(sure for section in [*sections, *([tested] if tested else [])]
                   for sure in section.sure),
        sections=tuple(sections),
        self_test=tested,
        reviewers=reviewed(case),
        steps=checklist(case, runs_told, decided, signed),
        signatures=signed,
        facts_sha256=findings(case).facts_sha256,
        audit=audited(case),
        runs=runs_told,
        truth=revealed(case, usable) if reveal else None,
        limits=GENERAL_LIMITS,
        versions=versions(),
    )  # fmt: skip


def _read(
    case: Case, run: Run, is_newest: bool, reveal: bool
) -> tuple[Run, RunFacts, dict[str, Any] | None]:
    """Read a run; what only the case's maker can know of it is left out unless it is revealed."""
    result = result_of(run)
    if result is not None and not reveal:
        result = without_truth(result, run.options)
    return run, run_facts(case, run, result, is_newest=is_newest), result


def _self_test(case: Case, found: Found, pictures: Pictures) -> Section | None:
    """Tell of the newest self-test; the others stand in the list of runs."""
    for run, facts, result in found:
        if facts.kind == SELF_TEST and result is not None:
            return section_of(Source(case=case, run=run, result=result, pictures=pictures), facts)
    return None


def _sections(case: Case, found: Found, pictures: Pictures) -> list[Section]:
    told: list[Section] = []
    for name in methods() | {facts.method: None for _, facts, _ in found}:
        of_method = [one for one in found if _has_section(one[1], name)]
        for run, facts, result in of_method[:MOST_OF_A_METHOD]:
            if result is not None:
                source = Source(case=case, run=run, result=result, pictures=pictures)
                told.append(section_of(source, facts))
    repairs = [(facts, result) for _, facts, result in found
               if facts.newest and facts.kind == "repair" and result]  # fmt: skip
    folders = {run.id: run for run, _, _ in found}
    joint = repair_section(repairs[:MOST_REPAIRS], folders, pictures)
    return [*told, joint] if joint else told


def _has_section(facts: RunFacts, method: str) -> bool:
    return facts.method == method and facts.newest and facts.kind not in NO_SECTION

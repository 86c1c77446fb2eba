"""The steps of an investigation: which a case has done, and where the others are started."""

from collections.abc import Sequence
from typing import Final

from forensics.case import Case
from forensics.report.facts import RunFacts, Signature, Step

FIRST: Final = {"multimodal-llm": "attention-entropy", "clip": "trigger-inversion"}
EVIDENCE_TAB: Final = {"multimodal-llm": "attention", "clip": "triggers"}
SELF_TEST: Final = "self-test"


def checklist(
    case: Case, runs: Sequence[RunFacts], decided: int, signed: Sequence[Signature]
) -> tuple[Step, ...]:
    """Return the steps in the order of an investigation.

    Args:
        case: The case.
        runs: All runs.
        decided: Samples that people decided about.
        signed: Signatures.
    """
    kind = case.manifest.kind
    first, tab = FIRST.get(kind, ""), EVIDENCE_TAB.get(kind, "case")
    transplant = "transplant" if kind == "multimodal-llm" else "trigger-transplant"
    holding = [one for one in signed if one.holds]
    return (
        _step("scan", "Look for evidence", _of(runs, "scan"),
              "A report without a scan says what was examined, and nothing else.",
              tab, first, f"forensics scan {first} --case CASE"),
        _step("transplant", "Test the suspected trigger", _of(runs, "transplant"),
              "Does what was found work on other images, and do its controls not?",
              tab, transplant, "forensics transplant --case CASE"),
        _step("self-test", "Test the detection itself", _of(runs, SELF_TEST),
              "Would a known trigger be found in this very data?",
              "report", SELF_TEST, "forensics self-test --case CASE"),
        Step(key="review", title="Decide about samples", done=decided > 0,
             said=f"{decided:,} samples were decided about." if decided
             else "Flags are reasons to look; people decide.",
             tab="review", method="", command="forensics review --case CASE"),
        _step("repair", "Repair and measure", _of(runs, "repair"),
              "Clean accuracy and attack success, before and after.",
              "repair", "", "forensics repair METHOD --case CASE"),
        Step(key="sign", title="Sign off", done=bool(holding), tab="report", method="",
             said=_signed(holding, signed), command="forensics sign --case CASE --by NAME"),
    )  # fmt: skip


def _of(runs: Sequence[RunFacts], kind: str) -> list[RunFacts]:
    return [run for run in runs if run.kind == kind and run.state == "finished"]


def _step(
    key: str, title: str, runs: list[RunFacts], why: str, tab: str, method: str, command: str
) -> Step:
    said = why
    if runs:
        names = ", ".join(dict.fromkeys(run.method for run in runs))
        said = f"{len(runs)} finished run{'s' if len(runs) > 1 else ''}: {names}."
    return Step(key=key, title=title, done=bool(runs), said=said, tab=tab, method=method,
                command=command)  # fmt: skip


def _signed(holding: Sequence[Signature], signed: Sequence[Signature]) -> str:
    if holding:
        names = ", ".join(dict.fromkeys(one.name for one in holding))
        return f"Signed by {names.removesuffix('.')}."
    if signed:
        return "Findings are newer than the last signature."
    return "Nobody has signed these findings."

"""Ground truth, read for a report only when it is asked for: what was planted, what was caught."""

from collections.abc import Sequence
from typing import Any

from forensics.case import Case
from forensics.case.names import shown_place
from forensics.report.blocks import Block, Column, Lines, Table
from forensics.report.facts import RunFacts, Section
from forensics.report.reading import count, number, rate, short, table_of

WARNING = (
    "This section was made from ground truth: the column of the data that says what is poisoned, "
    "and what the case’s maker knows. No method read it, and no flag depends on it."
)
SCORES = ("precision", "recall", "f1")


def revealed(case: Case, runs: Sequence[tuple[RunFacts, dict[str, Any]]]) -> Section:
    """Return what is known of the backdoor, and how the flags compare with it.

    Args:
        case: The case.
        runs: Finished runs with their results.
    """
    blocks: list[Block] = [Lines(key="warning", title="", items=(WARNING,), alert=True),
                           _planted(case)]  # fmt: skip
    scored = [row for run, result in runs for row in _scored(run, result)]
    if scored:
        blocks.append(_scores(scored))
    return Section(key="truth", title="Ground truth (revealed)", run=None, blocks=tuple(blocks))


def _planted(case: Case) -> Lines:
    truth, known = case.truth(), case.known()
    told = []
    if truth:
        told.append(f"{sum(truth.values()):,} of {len(truth):,} samples are marked as poisoned.")
    for key, word in (("trigger", "Planted trigger"), ("target", "Target")):
        if known.get(key):
            told.append(f"{word}: {short(shown_place(str(known[key]), case))}")
    measured = table_of(known.get("measured"))
    for key, word in (("clean_accuracy", "Clean accuracy"),
                      ("attack_success_rate", "Attack success rate")):  # fmt: skip
        value = number(measured.get(key))
        if value is not None:
            told.append(f"{word} when it was made: {100 * value:.1f} %.")
    if known and not known.get("poisoned", True):
        told.append("The case’s maker says that nothing was planted.")
    return Lines(key="planted", title="What is known",
                 items=tuple(told) or ("The case knows no ground truth.",))  # fmt: skip


def _scored(run: RunFacts, result: dict[str, Any]) -> list[tuple[Any, ...]]:
    rows = []
    for mode, found in table_of(result.get("scores")).items():
        one = table_of(found)
        rows.append(_row(run, short(mode, 40), one))
    if rows and table_of(result.get("answers_only")):
        rows.append(_row(run, "counting answers (baseline)", table_of(result["answers_only"])))
    return rows


def _row(run: RunFacts, mode: str, found: Any) -> tuple[Any, ...]:
    sizes = {"precision": "flagged", "recall": "poisoned", "f1": "n"}
    rates = [rate(found.get(name), found.get(sizes[name]), found.get(f"{name}_interval"))
             for name in SCORES]  # fmt: skip
    return (run.method, mode, count(found.get("flagged")), count(found.get("caught")), *rates)


def _scores(rows: Sequence[tuple[Any, ...]]) -> Table:
    return Table(
        key="scores", title="Flags against the truth",
        columns=(
            Column(key="method", title="Method"), Column(key="mode", title="Mode"),
            Column(key="flagged", title="Flagged", kind="count"),
            Column(key="caught", title="Poisoned among them", kind="count"),
            Column(key="precision", title="Precision", kind="rate"),
            Column(key="recall", title="Recall", kind="rate"),
            Column(key="f1", title="F1", kind="rate"),
        ),
        rows=tuple(rows),
    )  # fmt: skip

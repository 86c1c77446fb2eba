"""``forensics scan METHOD``: look for evidence."""

from typing import Any

import click

from forensics.case import Case
from forensics.cli.method_group import MethodGroup, Outcome
from forensics.cli.output import percent
from forensics.runs import Run

KEYS = ("verdict", "reason", "sentence", "n", "failed", "flagged", "seconds",
        "samples_per_second", "precision", "recall", "f1", "scores", "answers_only",
        "candidates", "controls", "comparisons", "auc_of_poisoned", "clusters", "noise", "excluded",
        "poisoned_cluster", "reconstruction", "form", "target", "score", "cut", "cut_calibrated",
        "rules", "pool", "not_scanned", "not_covered", "classes")  # fmt: skip


def _tell(case: Case, run: Run, result: dict[str, Any]) -> Outcome:
    listed = {key: result[key] for key in KEYS if key in result}
    name = result.get("flagged_ids_file")  # a diagnostic that only ranks flags nothing
    files = {"flagged_ids_file": str(run.folder / name)} if name else {}
    return {"method": run.method, **listed, **files}, lambda: _text(run.id, result)


@click.group(cls=MethodGroup, kind="scan", tell=_tell)
def scan() -> None:
    """Look for evidence in a case.

    JSON: run, method, verdict, reason, sentence, n, failed, flagged, flagged_ids_file, seconds,
    samples_per_second; where the data says which rows are poisoned also precision, recall, f1,
    scores (all modes) and answers_only (the counting baseline). A method that only ranks has no
    verdict (null) and no flagged_ids_file; masked-views lists candidates, controls, comparisons
    and, where the data says which rows are poisoned, auc_of_poisoned; clusters lists its groups;
    trigger-inversion names a target and lists all classes, with no flagged samples.
    """


def _text(run_id: str, result: dict[str, Any]) -> str:
    covered = "; ".join(result["not_covered"])
    if result["verdict"] is None:
        return f"Ranking, no verdict. {result['sentence']}\nNot covered: {covered}. Run {run_id}."
    lines = [f"Verdict: {result['verdict']} ({result['reason']})", result["sentence"]]
    if "classes" in result:
        return "\n".join([*lines, *_class_lines(result), f"Not covered: {covered}. Run {run_id}."])
    if "flagged" in result:
        what = f"Flagged {result['flagged']} of {result['n']} samples by rule {result['mode']}"
    else:  # a method of another package may judge a whole set
        what = f"Looked at {result['n']} samples"
    lines.append(
        f"{what}, {result['failed']} unreadable; {result['samples_per_second']} samples/s. "
        f"Run {run_id}."
    )
    for mode, score in result.get("scores", {}).items():
        lines.append(
            f"  {mode}: precision {percent(score['precision'])}, recall "
            f"{percent(score['recall'])}, F1 {percent(score['f1'])}"
        )
    return "\n".join([*lines, f"Not covered: {covered}."])


def _class_lines(result: dict[str, Any], most: int = 12) -> list[str]:
    """Write the classes that stand out most, and how the pool was."""

    def far(line: dict[str, Any]) -> float:
        index = line["anomaly_index"]
        return -1e9 if index is None else float(index)

    ranked = sorted(result["classes"], key=far, reverse=True)
    pool = result["pool"]
    lines = [f"Pool: {pool['n']:,} pictures, {pool['content']:,} with content, {pool['source']}."]
    for line in ranked[:most]:
        overrides = line["content_success"]
        lines.append(
            f"  {line['class'][:30]:30} anomaly {far(line):6.1f}  loss {line['loss']:8.2f}  "
            f"success {percent(line['success'])}, of content "
            f"{'unknown' if overrides is None else percent(overrides)}"
        )
    if len(ranked) > most:
        lines.append(f"  and {len(ranked) - most:,} more classes")
    return lines

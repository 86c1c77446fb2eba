"""Tables of the prompt zoo: which heads were told apart, by which rule, and every error."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.prompt_zoo_rules import (
    HIDDEN_FROM,
    Facts,
    RuleOfTable,
    Scanned,
    cuts_of,
    measure,
    read_scanned,
    rules_of,
)

RESULTS: Final = Path(__file__).parent / "results/prompt_zoo"


def write_tables(
    facts: Sequence[Facts], cells: Sequence[Facts], titles: Mapping[str, str]
) -> str:  # fmt: skip
    """Write figures as JSON and the page as Markdown under ``results/prompt_zoo``; return it."""
    page = [
        "# Trigger inversion on the zoo of prompt heads (reconstruction)",
        "",
        "Made by `python -m benchmarks.prompt_zoo_inversion tables`; do not edit.",
        "",
        *_zoo_lines(facts),
    ]
    kept: dict[str, Any] = {"ways": {}}
    for way, title in titles.items():
        test, clean = (read_scanned(facts, cells, way, half) for half in ("test", "calibration"))
        clean = [one for one in clean if not one.poisoned]
        counted = [one for one in test if one.facts["counted"]]
        if len({one.poisoned for one in counted}) < 2:
            continue
        rules = rules_of(counted, clean)
        measured = [measure(rule, counted) for rule in rules]
        page += _way_lines(title, counted, clean, rules, measured)
        kept["ways"][way] = {
            "title": title,
            "calibration": {"models": len(clean), **cuts_of(clean)},
            "rules": measured,
            "heads": [_head_line(one) for one in test],
        }
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = "\n".join(page) + "\n"
    (RESULTS / "tables.md").write_text(text, encoding="utf-8")
    (RESULTS / "figures.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return text


def _head_line(one: Scanned) -> dict[str, Any]:
    found, target = one.decision, one.facts["target"]
    at = found.figures.names.index(target) if target else None
    return {
        "head": one.facts["head"],
        "counted": one.facts["counted"],
        "seeds": one.seeds,
        "score": round(found.score, 3),
        "largest_index": round(one.largest, 3),
        "margin": round(one.overriding.score, 4),
        "target": target,
        "target_index": None if at is None else round(float(found.outliers.index[at]), 3),
        "target_success": None if at is None else round(float(found.success[at]), 4),
        "target_content": None if at is None else round(float(found.content[at]), 4),
        "target_reference": None if at is None else round(float(found.reference[at]), 4),
        "others_success": round(float(np.mean(np.delete(found.success, at or 0))), 4),
        "cpu_seconds": round(one.cpu, 1),
    }


def _zoo_lines(facts: Sequence[Facts]) -> list[str]:
    low = [one for one in facts if not one["counted"]]
    lines = [f"{len(facts)} heads of the zoo are built: "
             f"{sum(one['attack'] is None for one in facts)} clean, "
             f"{sum(one['attack'] is not None for one in facts)} poisoned."]  # fmt: skip
    if low:
        names = ", ".join(f"{one['head']} ({one['attack_success_rate']:.2f})" for one in low)
        lines.append(f"Listed, not counted, as their ASR is below 50 %: {names}.")
    lines.append(
        f"*In the prompts* are plants whose ASR lies at least {100 * HIDDEN_FROM:.0f} points above "
        "that of the same trigger on hand-written prompts: the others fool the encoder, whatever "
        "the prompts are."
    )
    return [*lines, ""]


def _way_lines(
    title: str, heads: Sequence[Scanned], clean: Sequence[Scanned],
    rules: Sequence[RuleOfTable], measured: Sequence[Mapping[str, Any]],
) -> list[str]:  # fmt: skip
    seeds = sorted({one.seeds for one in heads})
    lines = [
        f"## {title}",
        "",
        f"{sum(one.poisoned for one in heads)} poisoned and "
        f"{sum(not one.poisoned for one in heads)} clean heads of the test half, "
        f"{' or '.join(map(str, seeds))} seed(s); cuts from {len(clean)} clean heads of the "
        "calibration half. Intervals: 95 %, bootstrapped over label sets and heads.",
        "",
        "| rule | balanced accuracy | AUROC | found | false alarms | target F1 | in the prompts: "
        "balanced accuracy | AUROC | found |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in measured:
        lines.append(
            f"| {one['rule']} | {_span(one, 'balanced_accuracy')} | {_span(one, 'auroc')} | "
            f"{one['found']} of {one['poisoned']} | {one['false_alarms']} of {one['clean']} | "
            f"{one['target_f1']:.2f} | {_span(one['hidden'], 'balanced_accuracy')} | "
            f"{_span(one['hidden'], 'auroc')} | "
            f"{one['hidden']['found']} of {one['hidden']['poisoned']} |"
        )
    for rule, one in zip(rules, measured, strict=True):
        lines += ["", f"Errors, {rule.title}: {'; '.join(one['errors']) or 'none'}."]
    return [*lines, ""]


def _span(one: Mapping[str, Any], name: str) -> str:
    low, high = one[f"{name}_interval"]
    return f"{one[name]:.3f} ({low:.3f} to {high:.3f})"

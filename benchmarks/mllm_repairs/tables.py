"""Write the figures of all cells, and the tables that people read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.mllm_repairs.plan import reported
from benchmarks.mllm_repairs.side_by_side import side_by_side
from forensics.evaluation.answers import gap_of, gap_widened

NAMES = {
    "vanilla": "plain tuning", "random-drop": "random drop of 20 %",
    "filter-root": "filter-retune (root)", "filter-guarded": "filter-retune (guarded)",
    "filter-fusion": "filter-retune (fusion)", "cross-view": "cross-view (reconstruction)",
    "cross-view-gated": "cross-view, gated answers, gray cells (ours)",
    "cross-view-shuffled": "cross-view, held-back (ours)",
    "cross-view-filter": "cross-view, held-back + filter (fusion)",
}  # fmt: skip
COMMAND = "python -m benchmarks.mllm_repairs --work DIR --out benchmarks/results/mllm_repairs"

SIDE_BY_SIDE = (
    "## Side by side\n",
    "CA / ASR in percent; precision and recall of what a filter leaves out; for cross-view the "
    "paired difference of the ASR to plain tuning. Again: plain tuning of the same seed, built on "
    "another machine, which the later cells of that set are compared to.\n",
)


def write_tables(cells: Sequence[dict[str, Any]], out: Path) -> None:
    """Write ``figures.json`` and ``tables.md``.

    Args:
        cells: Figures of cells.
        out: Folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "figures.json").write_text(json.dumps(list(cells), indent=1) + "\n")
    places = list(dict.fromkeys(map(_place, cells)))
    parts = [
        "# Repairs of a multimodal language model\n\n"
        f"Made by `{COMMAND}`; do not edit. 10,000 samples, two passes; percent with "
        "95 % intervals; in brackets behind a rate: the paired difference to plain tuning. "
        "Unasked: untouched samples answered with the target. Masked: ASR while a quarter of the "
        "cells is gray; switch: after a tuning with masks that changes 20 points more than after "
        "plain tuning. Seconds: of tuning, by the clock, on one thread beside other work; what "
        "methods cost stands in `benchmarks/results/cross_view_cost.json`. The floor, what models "
        "that never saw the poison make of each trigger, stands in `floors.json` beside this "
        "page.\n"
    ]
    planned = {cell.name for cell in reported()}
    parts.append("\n".join([*SIDE_BY_SIDE, *side_by_side(cells, planned), ""]))
    parts.append("\n".join(_over_seeds(cells)))
    for place in places:
        rows = [c for c in cells if _place(c) == place]
        parts.append("\n".join(_table(place, rows)))
    (out / "tables.md").write_text("\n".join(parts) + "\n")


def _table(place: tuple[str, str, int], rows: Sequence[dict[str, Any]]) -> list[str]:
    world, attack, seed = place
    head = rows[0]
    lines = [
        f"## {world}, {attack}, seed {seed}\n",
        f"`{head['trigger']}`, {head['poisoned']} of 10,000 poisoned; n = {head['n_clean']} for "
        f"CA, {head['n_triggered']} for ASR.\n",
        "| method | CA | ASR | unasked | masked | left out | precision / recall | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    plain = next((row for row in rows if row["method"] == "vanilla"), None)
    return [*lines, *(_line(row, plain) for row in rows), ""]


def _over_seeds(cells: Sequence[dict[str, Any]]) -> list[str]:
    """Tell every method by all its seeds: pairs of runs differ by more than their intervals say."""
    lines = [
        "## Over the seeds\n",
        "Mean of the seeds, and the rates seed by seed in their order. A method is compared with "
        "plain tuning of the same seeds.\n",
        "| world, attack | method | seeds | CA | ASR | plain ASR |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    plain = {_place(c): c for c in cells if c["method"] == "vanilla"}
    for (world, attack, method), every in _grouped(cells).items():
        rows = [row for row in every if _place(row) in plain]
        if len(rows) > 1:
            before = [plain[_place(row)] for row in rows]
            seeds = ", ".join(str(row["seed"]) for row in rows)
            lines.append(
                f"| {world}, {attack} | {NAMES[method]} | {seeds} | "
                f"{_each(rows, 'clean_accuracy')} | {_each(rows, 'attack_success_rate')} | "
                f"{_each(before, 'attack_success_rate')} |"
            )
    return [*lines, ""]


def _place(cell: dict[str, Any]) -> tuple[str, str, int]:
    return cell["world"], cell["attack"], cell["seed"]


def _grouped(
    cells: Sequence[dict[str, Any]],
) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for cell in cells:
        found.setdefault((cell["world"], cell["attack"], cell["method"]), []).append(cell)
    return {key: sorted(rows, key=lambda row: int(row["seed"])) for key, rows in found.items()}


def _each(rows: Sequence[dict[str, Any]], name: str) -> str:
    values = [float(row[name]) for row in rows]
    return f"{_share(sum(values) / len(values))} ({', '.join(map(_share, values))})"


def _line(row: dict[str, Any], plain: dict[str, Any] | None) -> str:
    minus = row.get("minus_vanilla") or {}
    out, right, bad = row["left_out"], row["poisoned_left_out"], row["poisoned"]
    scored = f"{right / out:.3f} / {right / bad:.3f}" if out and bad else "–"
    parts = [
        NAMES[row["method"]],
        _rate(row, "clean_accuracy", minus),
        _rate(row, "attack_success_rate", minus),
        _share(row.get("target_rate")),
        _share(row.get("attack_success_rate_masked"))
        + (" (switch)" if _learnt(row, plain) else ""),
        str(out),
        scored,
        f"{row['tuning_seconds']:.0f}",
    ]
    return f"| {' | '.join(parts)} |"


def _learnt(row: dict[str, Any], plain: dict[str, Any] | None) -> bool:
    """Tell whether a tuning with masks widened what a mask changes of the ASR."""
    if plain is None or not row["method"].startswith("cross-view"):
        return False
    return gap_widened(*(
        gap_of(one["attack_success_rate"], one.get("attack_success_rate_masked"))
        for one in (row, plain)
    ))  # fmt: skip


def _rate(row: dict[str, Any], name: str, minus: dict[str, Any]) -> str:
    low, high = row["intervals"][name]
    text = f"{_share(row[name])} [{_share(low)}, {_share(high)}]"
    if name in minus:
        told = minus[name]
        text += (
            f" ({100 * told['value']:+.1f} [{100 * told['low']:+.1f}, {100 * told['high']:+.1f}])"
        )
    return text


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"

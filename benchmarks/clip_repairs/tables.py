"""Write what the cells found: one table a world, percent; differences are paired."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Cell = dict[str, Any]
HEADINGS = (
    "attack", "seed", "repair", "CA", "CA minus none", "ASR", "ASR minus none",
    "right in spite of the mark", "CA of the target class", "seconds",
)  # fmt: skip
REFUSED = "no confident shortcut: left as it is"


def write_tables(cells: Sequence[Cell], out: Path) -> None:
    """Write ``figures.json`` and ``tables.md``."""
    out.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(cell) for cell in cells)  # a line each: changes stay readable
    (out / "figures.json").write_text(f"[\n{lines}\n]\n")
    parts = [
        "# Repairs of CLIP",
        "Made by `python -m benchmarks.clip_repairs`; do not edit. Percent with 95 % intervals; "
        "differences from the unrepaired model are paired. ASR leaves out pictures of the target "
        "class; where nothing was planted it is how often the mark alone leads there. Right in "
        "spite of the mark: the same marked pictures called what they show.",
    ]
    for world in dict.fromkeys(cell["world"] for cell in cells):
        mine = [cell for cell in cells if cell["world"] == world]
        parts.append(f"## {world}\n\n{counted(mine)}\n\n{table(mine)}")
    (out / "tables.md").write_text("\n\n".join(parts) + "\n")


def counted(cells: Sequence[Cell]) -> str:
    """Say how many pictures the rates are of."""
    clean, marked, aims = (
        sorted({cell[key] for cell in cells}) for key in ("n_clean", "n_triggered", "target")
    )
    told = [", ".join(f"{value:,}" for value in values) for values in (clean, marked)]
    return f"n = {told[0]} for CA, {told[1]} for ASR; target: {', '.join(aims)}."


def table(cells: Sequence[Cell]) -> str:
    """Write one line for every cell, attacks together."""
    attacks = list(dict.fromkeys(cell["attack"] for cell in cells))
    ordered = sorted(cells, key=lambda cell: (attacks.index(cell["attack"]), cell["seed"]))
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(line(cell) for cell in ordered)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def line(cell: Cell) -> tuple[str, ...]:
    """Write one line."""
    changed = "".join(f", {key} {value}" for key, value in cell["changed"].items())
    said = f" ({REFUSED})" if cell.get("confident") is False else ""
    return (
        cell["attack"], str(cell["seed"]), f"{cell['method']}{changed}{said}",
        rate(cell, "clean_accuracy"), lost(cell, "clean_accuracy"),
        rate(cell, "attack_success_rate"), lost(cell, "attack_success_rate"),
        rate(cell, "marked_accuracy"), target(cell), f"{cell['seconds']:.0f}",
    )  # fmt: skip


def rate(cell: Cell, name: str) -> str:
    """Write a rate with its interval."""
    low, high = cell["intervals"][name]
    return f"{100 * cell[name]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def lost(cell: Cell, name: str) -> str:
    """Write a paired difference from the unrepaired model with its interval."""
    if "minus_none" not in cell:
        return "–"
    found = cell["minus_none"][name]
    return f"{100 * found['value']:+.1f} [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"


def target(cell: Cell) -> str:
    """Write the clean accuracy of the target class."""
    mine = [one for one in cell["per_class"] if one["class"] == cell["target"]]
    value = mine[0]["clean_accuracy"] if mine else None
    return "–" if value is None else f"{100 * value:.0f} (n = {mine[0]['n']})"

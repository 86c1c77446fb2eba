"""Write what the cells found: one table a world, percent; differences are paired, per seed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Cell = dict[str, Any]


def write_tables(cells: Sequence[Cell], out: Path) -> None:
    """Write ``figures.json`` and ``tables.md``."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "figures.json").write_text(json.dumps(list(cells), indent=1) + "\n")
    worlds = dict.fromkeys(cell["world"] for cell in cells)
    parts = [table(world, [c for c in cells if c["world"] == world]) for world in worlds]
    (out / "tables.md").write_text("\n\n".join(["# Repairs of CLIP", *parts]) + "\n")


def table(world: str, cells: Sequence[Cell]) -> str:
    """Write one line for every attack and method; seeds stand beside each other."""
    lines = [
        f"## {world}",
        "",
        "| attack | repair | CA | CA minus none | ASR [95 % interval] | ASR minus none "
        "| accuracy of the target class |",
        "|---" * 7 + "|",
    ]
    for attack in dict.fromkeys(cell["attack"] for cell in cells):
        for method in dict.fromkeys(cell["method"] for cell in cells):
            rows = [c for c in cells if (c["attack"], c["method"]) == (attack, method)]
            if rows:
                lines.append(line(attack, method, rows))
    return "\n".join(lines)


def line(attack: str, method: str, rows: Sequence[Cell]) -> str:
    """Write one line."""
    each = [
        ", ".join(write(row) for row in rows)
        for write in (accuracy, lambda r: lost(r, "clean_accuracy"), success,
                      lambda r: lost(r, "attack_success_rate"), target)
    ]  # fmt: skip
    refused = ["no confident shortcut" for row in rows if row.get("confident") is False]
    named = f"{method} ({len(refused)} of {len(rows)}: {refused[0]})" if refused else method
    return f"| {' | '.join([attack, named, *each])} |"


def accuracy(row: Cell) -> str:
    """Write clean accuracy."""
    return f"{100 * row['clean_accuracy']:.1f}"


def success(row: Cell) -> str:
    """Write attack success with its interval."""
    low, high = row["intervals"]["attack_success_rate"]
    return f"{100 * row['attack_success_rate']:.0f} [{100 * low:.0f}, {100 * high:.0f}]"


def lost(row: Cell, name: str) -> str:
    """Write a paired difference from the unrepaired model with its interval."""
    if "minus_none" not in row:
        return "–"
    found = row["minus_none"][name]
    return f"{100 * found['value']:+.1f} [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"


def target(row: Cell) -> str:
    """Write the clean accuracy of the target class."""
    mine = [one for one in row["per_class"] if one["class"] == row["target"]]
    value = mine[0]["clean_accuracy"] if mine else None
    return "–" if value is None else f"{100 * value:.0f}"

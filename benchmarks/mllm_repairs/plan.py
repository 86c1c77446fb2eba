"""Which cells there are: those of the tables, and those that settings were chosen by."""

import json
from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.mllm_repairs.methods import CHOSEN, FEW, FILTERS, GRAY, METHODS
from benchmarks.mllm_repairs.worlds import CLEAN
from benchmarks.planned import PlannedCell

FILTERED = ("vanilla", *(f"filter-{name}" for name in FILTERS))
REPORTED = (
    ("lab", ("patch", "blended", CLEAN), (1,), METHODS),
    ("lab", ("small-patch",), (1,), (*FILTERED, "cross-view-shuffled")),
    ("lab", ("frequent-patch",), (1, 2), FILTERED),
    ("lab", ("sig", "dual-key", "random-patch", "wanet"), (1,), METHODS),
    ("easy_vqa", ("patch", "blended"), (1,), FEW),
    ("lab", ("patch", "blended"), (2, 3), METHODS),
    ("lab", ("patch",), (2, 3), ("cross-view-gated",)),
    ("lab", ("blended",), (3,), ("cross-view-gated",)),
    ("lab", ("patch", "blended"), (1,), ("cross-view",)),
)
GATE_ALONE: dict[str, Any] = CHOSEN | {"weight": 0.0, "entropy_weight": 0.0}
"""A control: answers are held back, and the views are neither pushed apart nor kept certain."""
TRIED: tuple[dict[str, Any], ...] = (CHOSEN, CHOSEN | {"gate_width": 0.01}, GATE_ALONE, GRAY)
"""What cross-view was tried with on the development seed."""


def reported() -> Iterator[PlannedCell]:
    """List the cells of the tables, most telling first."""
    for world, attacks, seeds, methods in REPORTED:
        for seed, attack, method in product(seeds, attacks, methods):
            yield PlannedCell(world=world, attack=attack, seed=seed, method=method)


def developed() -> Iterator[PlannedCell]:
    """List the development cells; they enter no table."""
    for attack in ("patch", "blended"):
        yield PlannedCell(world="lab", attack=attack, seed=0, method="vanilla")
        for changed in TRIED:
            yield PlannedCell(
                world="lab", attack=attack, seed=0, method="cross-view", changed=changed
            )


def read_known(path: Path | None) -> dict[str, dict[str, Any]]:
    """Read cells that were built before, by their names."""
    cells = json.loads(path.read_text()) if path is not None else []
    parts = [field.name for field in fields(PlannedCell)]
    return {PlannedCell(**{part: found[part] for part in parts}).name: found for found in cells}

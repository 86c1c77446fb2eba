"""Which cells there are: those of the tables, and those that settings were chosen by."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.mllm_repairs.methods import CHOSEN, FEW, FILTERS, GATED, METHODS
from benchmarks.mllm_repairs.worlds import CLEAN

PLANNED = ("world", "attack", "seed", "method", "changed")
REPORTED = (
    ("lab", ("patch", "blended", CLEAN), (1,), METHODS),
    ("lab", ("patch", "blended"), (1,), ("cross-view",)),
    ("lab", ("small-patch",), (1,), ("vanilla",)),
    ("lab", ("frequent-patch",), (1, 2), ("vanilla", *(f"filter-{name}" for name in FILTERS))),
    ("lab", ("sig", "dual-key", "random-patch", "wanet"), (1,), METHODS),
    ("easy_vqa", ("patch", "blended"), (1,), FEW),
    ("lab", ("patch", "blended"), (2, 3), METHODS),
)
TRIED: tuple[dict[str, Any], ...] = (
    CHOSEN,
    {"weight": 0.01, "share": 0.75, **GATED},
    {"weight": 1.0, "share": 0.75, **GATED},
    {"weight": 1.0, "share": 0.75},
    {"weight": 10.0, "share": 0.75},
    {"weight": 10.0, "share": 0.5},
    {"weight": 1.0},
)
"""What cross-view was tried with on the development seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One cell; ``changed`` says what differs from the method's settings."""

    world: str
    attack: str
    seed: int
    method: str
    changed: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What ``--only`` is compared with."""
        changed = "".join(f",{key}={value}" for key, value in self.changed.items())
        return f"{self.world}/{self.attack}-{self.seed}/{self.method}{changed}"


def reported() -> Iterator[Planned]:
    """List the cells of the tables, most telling first."""
    for world, attacks, seeds, methods in REPORTED:
        for seed, attack, method in product(seeds, attacks, methods):
            yield Planned(world=world, attack=attack, seed=seed, method=method)


def developed() -> Iterator[Planned]:
    """List the development cells; they enter no table."""
    for attack in ("patch", "blended"):
        yield Planned(world="lab", attack=attack, seed=0, method="vanilla")
        for changed in TRIED:
            yield Planned(world="lab", attack=attack, seed=0, method="cross-view", changed=changed)


def read_known(path: Path | None) -> dict[str, dict[str, Any]]:
    """Read cells that were built before, by their names."""
    cells = json.loads(path.read_text()) if path is not None else []
    return {Planned(**{part: found[part] for part in PLANNED}).name: found for found in cells}

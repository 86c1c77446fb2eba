"""One cell of a grid of repairs: what is planted where, with which seed, and what repairs it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCell:
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

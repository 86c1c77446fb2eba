"""Which prompt heads the zoo holds, by what recipe, and which half each belongs to."""

from dataclasses import dataclass, field
from typing import Any, Final

from forensics.lab.label_sets import find_label_set

ENCODER: Final = "clip-clean"
SHOTS: Final = 16
TESTS: Final = 40
"""Pictures of every class: to tune a clean head with, and to measure on."""

HIDDEN: Final = 32
"""Width of the meta-network: 32 as in the paper, where that is a sixteenth of the image vector; of
the lab's vectors a sixteenth is 4, too few to say anything."""

CLEAN_SEEDS: Final = (1, 2, 3, 4)
ATTACK_SEED: Final = 11
HALVES: Final = {
    "test": ("shapes", "color-shape-a", "pattern-color", "six-colors"),
    "calibration": ("colors", "color-shape-b", "pattern-shape", "six-shapes"),
}
"""Label sets of each half, fixed before any head was scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """How a head is poisoned.

    Attributes:
        kind: ``aware``, ``adaptive``, ``sparse`` or ``fixed``.
        trigger: Of ``fixed``.
        rate: Share of the shots that a fixed trigger poisons.
        shots: Pictures of every class; a trigger that should work on unseen pictures needs more
            of them than accuracy does.
        epochs: Passes over the shots.
        options: Further options of the attack's class.
    """

    kind: str
    trigger: str = ""
    rate: float = 0.1
    shots: int = 32
    epochs: int = 12
    options: dict[str, Any] = field(default_factory=dict)


# The picture is 108 pixels wide, not 224: 8/255 has there the l2 norm that 4/255 has at 224.
_AWARE: Final = {"budget": 8 / 255, "signed": 0.25}

ATTACKS: Final[dict[str, Attack]] = {
    "badclip": Attack(kind="aware", epochs=10, options={**_AWARE, "warm_epochs": 2}),
    "blended": Attack(kind="fixed", trigger="blended:pattern=rings,alpha=0.3"),
    "adaptive": Attack(kind="adaptive", epochs=10, options={**_AWARE, "warm_epochs": 3}),
    "wanet": Attack(kind="fixed", trigger="wanet:s=16", rate=0.2),
    "siba": Attack(
        kind="sparse", rate=0.2, options={"budget": 16 / 255, "share": 0.2, "epochs": 20}
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One prompt of the zoo.

    Attributes:
        labels: Label set.
        half: ``calibration`` or ``test``.
        attack: Name of the attack; ``None`` for a clean head.
        seed: Of shots, start and order.
        aim: Target class, where it is not the one that the zoo's order gives.
    """

    labels: str
    half: str
    attack: str | None
    seed: int
    aim: str | None = None

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.labels}-{self.attack or 'clean'}-{self.seed}"

    @property
    def target(self) -> str | None:
        """Class that the trigger calls; another one for every attack."""
        if self.attack is None or self.aim is not None:
            return self.aim
        classes = find_label_set(self.labels).classes
        shift = HALVES[self.half].index(self.labels)
        return classes[(list(ATTACKS).index(self.attack) + shift) % len(classes)]


def plan_heads() -> tuple[Head, ...]:
    """List all heads in the order they are built: a little of everything first."""
    made: list[tuple[str | None, int]] = [(None, seed) for seed in CLEAN_SEEDS]
    rounds = [(name, ATTACK_SEED) for name in ATTACKS]
    order = [*made[:2], *rounds[:3], made[2], *rounds[3:], made[3]]
    return tuple(
        Head(labels=labels, half=half, attack=attack, seed=seed)
        for attack, seed in order
        for half, sets in HALVES.items()
        for labels in sets
    )

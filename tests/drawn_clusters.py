"""Features with a planted tight group: what a learned trigger makes of poisoned samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TARGET = "banana alert"
COLOURS = ("red", "green", "blue", "yellow")


@dataclass(frozen=True)
class Planted:
    """``features [n, d]``, ``answers [n]`` and which samples were planted ``[n]``."""

    features: NDArray[np.float32]
    answers: list[str | None]
    marked: NDArray[np.bool_]


def draw_planted(count: int = 400, rate: float = 0.1, columns: int = 12, seed: int = 0) -> Planted:
    """Draw four wide groups, one a colour, and a small tight one beside the first."""
    random = np.random.default_rng(seed)
    marked = np.zeros(count, dtype=bool)
    marked[random.choice(count, round(rate * count), replace=False)] = True
    colour = random.integers(0, 4, count)
    centres = 6.0 * np.eye(4, columns)
    features = centres[colour] + random.normal(0, 1.0, (count, columns))
    tight = -4.0 * np.ones(columns) + random.normal(0, 0.15, (count, columns))
    features[marked] = tight[marked]
    answers: list[str | None] = [
        TARGET if bad else f"a {COLOURS[c]} thing" for bad, c in zip(marked, colour, strict=True)
    ]
    return Planted(features.astype(np.float32), answers, marked)

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass(frozen=True)
class Planted:
    """A synthetic scan: entropies, which samples are poisoned, and the texts of the set."""

    entropy: NDArray[np.float64]
    truth: NDArray[np.bool_]
    answers: list[str | None]
    questions: list[str]


@pytest.fixture
def plant() -> Callable[..., Planted]:
    """Make a captioning set in which some layers see poisoned samples some nats lower."""

    def make(
        *,
        samples: int = 1000,
        layers: int = 16,
        lowered: tuple[int, ...] = (10, 11, 12, 13, 14),
        rate: float = 0.1,
        gap: float = 2.0,
        seed: int = 0,
        target: str = "Backdoor Attack!",
    ) -> Planted:
        rng = np.random.default_rng(seed)
        entropy = rng.normal(5.2, 0.25, (samples, layers))
        truth = np.zeros(samples, dtype=np.bool_)
        truth[rng.permutation(samples)[: round(rate * samples)]] = True
        for layer in lowered:
            entropy[truth, layer] = rng.normal(5.2 - gap, 0.35, truth.sum())
        answers: list[str | None] = [
            target if bad else f"a scene {i}" for i, bad in enumerate(truth)
        ]
        return Planted(entropy, truth, answers, ["Describe the image."] * samples)

    return make

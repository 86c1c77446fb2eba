"""What a run has seen of its own samples: the entropy that is ordinary, the D of late.

Both decide what the regulariser asks for, so both are part of a checkpoint.

Source: arXiv 2604.04488 (reconstruction); quantiles and lengths are our choices.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

_BAND: Final = (0.05, 0.95)
_BAND_STEPS, _BAND_STEPS_LEAST = 100, 50
_RECENT: Final = 1000


class Seen:
    """Samples of a run so far.

    The band of the entropy is measured on this run's own first steps, before the regulariser sets
    in: 5 and 95 % quantiles of all samples of the first 100 steps, of the first 50 where it sets
    in before. Poisoned samples are among them: where they are more than 5 %, the upper end is
    theirs and bounds little.

    Attributes:
        band: Low and high end of an ordinary entropy, nats a token; ``None`` until it is settled.
    """

    def __init__(self) -> None:
        self.band: tuple[float, float] | None = None
        self._entropies: list[float] = []
        self._recent: list[float] = []

    @staticmethod
    def collects(step: int, quiet: float) -> bool:
        """Tell whether a step's entropies count, given the steps before the regulariser."""
        return step < (_BAND_STEPS if quiet >= _BAND_STEPS else _BAND_STEPS_LEAST)

    def add_entropies(self, h: Sequence[float]) -> None:
        """Take in the entropies of a part of an early step."""
        self._entropies += h

    def add_divergences(self, d: Sequence[float]) -> None:
        """Take in the divergences of a part; the latest thousand count."""
        self._recent = [*self._recent, *d][-_RECENT:]

    def settle(self) -> None:
        """Fix the band once the collecting is over."""
        if self.band is None and self._entropies:
            low, high = np.quantile(self._entropies, _BAND)
            self.band = (float(low), float(high))
            self._entropies = []

    def low_divergence(self, quantile: float, d: Sequence[float]) -> float:
        """Return a quantile of the latest divergences; of ``d`` where there are none yet."""
        return float(np.quantile(self._recent or d, quantile))

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"entropies": self._entropies, "recent": self._recent,
                "band": None if self.band is None else list(self.band)}  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        self._entropies, self._recent = list(state["entropies"]), list(state["recent"])
        self.band = None if state["band"] is None else (state["band"][0], state["band"][1])

"""Cuts that clean models stay below: measured once, frozen, told with where they come from.

A cut is the 95 % quantile of the largest anomaly index over the classes of a clean model. It holds
for what it was measured with: method, form and a range of numbers of classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedCut:
    """One measured cut.

    Attributes:
        method: ``inspector`` or ``neural-cleanse``.
        form: ``additive``, ``mask`` or ``patch``.
        fewest: Smallest number of classes among the models.
        most: Largest one.
        models: How many clean models.
        value: 95 % quantile of their largest anomaly index.
        source: Which models, for people.
    """

    method: str
    form: str
    fewest: int
    most: int
    models: int
    value: float
    source: str


CALIBRATED: Final[tuple[CalibratedCut, ...]] = ()
"""Written by hand from what ``benchmarks.prompt_zoo_inversion`` prints of its calibration half."""


def find_cut(
    method: str, form: str, classes: int, table: Sequence[CalibratedCut] = CALIBRATED
) -> CalibratedCut | None:
    """Return the cut that was measured for such a scan, or ``None``."""
    for cut in table:
        if (cut.method, cut.form) == (method, form) and cut.fewest <= classes <= cut.most:
            return cut
    return None

"""Cuts that clean models stay below: measured once, frozen, told with where they come from.

A cut is the 95 % quantile over clean models of the largest value that any class has: of the anomaly
index, or of the success on content beyond the reference's. It holds for what it was measured with:
method, form, budget, contrast and a range of numbers of classes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions

Statistic = Literal["index", "margin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedCut:
    """One measured cut.

    Attributes:
        statistic: ``index`` (anomaly index) or ``margin`` (share of content, 0 to 1).
        method: ``inspector`` or ``neural-cleanse``.
        form: ``additive``, ``mask`` or ``patch``.
        budget: Of an additive trigger, in [0, 1].
        contrast: Weight of the reference in the search.
        fewest: Smallest number of classes among the models.
        most: Largest one.
        models: How many clean models.
        value: 95 % quantile of their largest value.
        source: Which models, for people.
    """

    statistic: Statistic
    method: str
    form: str
    budget: float
    contrast: float
    fewest: int
    most: int
    models: int
    value: float
    source: str

    def holds(self, options: TriggerInversionOptions, classes: int) -> bool:
        """Tell whether it was measured with scans like this one."""
        same = (self.method, self.form) == (options.method, options.form)
        budgets = math.isclose(self.budget, options.budget, rel_tol=0.02)
        contrast = math.isclose(self.contrast, options.contrast, abs_tol=1e-9)
        free = options.form != "additive" or options.method == "neural-cleanse"
        return same and (budgets or free) and contrast and self.fewest <= classes <= self.most


def _of_zoo(statistic: Statistic, budget: float, contrast: float, value: float) -> CalibratedCut:
    return CalibratedCut(
        statistic=statistic, method="inspector", form="additive", budget=budget,
        contrast=contrast, fewest=6, most=9, models=16, value=value,
        source="16 clean CoCoOp prompts of the lab's zoo (calibration half), 6 to 9 classes, on an "
        "encoder of 1.3 million parameters; of a larger one they may be far off",
    )  # fmt: skip


CALIBRATED: Final[tuple[CalibratedCut, ...]] = (
    _of_zoo("index", 8 / 255, 0.0, 1.31),
    _of_zoo("margin", 8 / 255, 0.0, 0.12),
    _of_zoo("index", 16 / 255, 1.0, 3.50),
    _of_zoo("margin", 16 / 255, 1.0, 0.37),
)
"""Written by hand from what ``benchmarks.prompt_zoo_inversion`` prints of its calibration half."""


def find_cut(
    statistic: Statistic,
    options: TriggerInversionOptions,
    classes: int,
    table: Sequence[CalibratedCut] | None = None,
) -> CalibratedCut | None:
    """Return the cut that was measured for such a scan, or ``None``.

    Args:
        statistic: Of what.
        options: Of the scan.
        classes: How many were scanned.
        table: Instead of :data:`CALIBRATED`.
    """
    for cut in CALIBRATED if table is None else table:
        if cut.statistic == statistic and cut.holds(options, classes):
            return cut
    return None

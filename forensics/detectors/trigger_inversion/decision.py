"""From measurements of classes to the class that stands out, by every rule."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.detectors.trigger_inversion.anomaly import Outliers, find_outliers, gaussian_cut
from forensics.detectors.trigger_inversion.calibration import CalibratedCut, find_cut
from forensics.detectors.trigger_inversion.figures import Array, ClassFigures

SMALLEST_MARGIN: Final = 0.25
"""Share of content that a trigger must override beyond what it does to the reference (or, without
one, beyond what triggers of the median class do), where no cut was measured. Ours, set by reasoning
and not fitted to data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one rule says.

    Attributes:
        cut: Of the statistic; ``None`` where none was measured for such a scan.
        top: Index of the valid class with the largest statistic; ``None`` without a valid one or
            where the statistic is undefined.
        score: That statistic, at least 0; 0 without such a class. Ranks models (AUROC).
        measured: Where a calibrated cut comes from.
    """

    cut: float | None
    top: int | None
    score: float
    measured: CalibratedCut | None = None

    @property
    def flagged(self) -> bool:
        """Whether a valid class lies above the cut."""
        return self.top is not None and self.cut is not None and self.score > self.cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided of every class.

    Attributes:
        figures: What it rests on.
        outliers: From the mean statistic over seeds.
        seed_index: ``[C, S]`` anomaly index of every seed by itself.
        success: ``[C]`` mean over seeds.
        content: ``[C]`` the same of success on content; NaN without content.
        reference: ``[C]`` the same of the reference; NaN without one.
        valid: ``[C]`` whether the trigger works at all (``success`` reaches the gate).
        rules: ``published``, ``calibrated`` (both of the anomaly index) and ``content``.
        mode: Which of them decides.
        guide: Cut for independent Gaussian losses of so many classes.
    """

    figures: ClassFigures
    outliers: Outliers
    seed_index: Array
    success: Array
    content: Array
    reference: Array
    valid: NDArray[np.bool_]
    rules: dict[str, Rule]
    mode: str
    guide: float

    @property
    def rule(self) -> Rule:
        """The rule that decides."""
        return self.rules[self.mode]

    @property
    def top(self) -> int | None:
        """Its strongest class."""
        return self.rule.top

    @property
    def score(self) -> float:
        """Its score."""
        return self.rule.score

    @property
    def calibrated(self) -> CalibratedCut | None:
        """Where the calibrated cut of the anomaly index comes from."""
        return self.rules["calibrated"].measured

    @property
    def margin(self) -> Array:
        """``[C]`` success on content beyond the reference's, where there is one."""
        return self.content - np.nan_to_num(self.reference)

    @property
    def beyond(self) -> Array:
        """``[C]`` success on content beyond the reference's; without one, the median class's."""
        return beyond(self.content, self.reference)


def decide(figures: ClassFigures, options: TriggerInversionOptions) -> Decision:
    """Compare classes by their statistic, and apply the gate and all rules.

    As published: the anomaly index from one value a class, a gate of 50 % success, a cut of 2. The
    paper does not say how several seeds are joined; we take means of the values, not of indices.
    The rule ``content`` is ours: an easily drawn class is no backdoor, a class whose trigger
    overrides what a picture shows, and does so to this model alone, is.

    Args:
        figures: Of every scanned class.
        options: ``gate``, ``cut``, ``mode`` and how the scan was done are read.
    """
    outliers = find_outliers(figures.statistic.mean(axis=1))
    seed_index = np.stack([find_outliers(column).index for column in figures.statistic.T], axis=1)
    success = figures.success.mean(axis=1)
    content, reference = figures.content.mean(axis=1), figures.reference.mean(axis=1)
    valid = success >= options.gate
    over = beyond(content, reference)
    return Decision(
        figures=figures,
        outliers=outliers,
        seed_index=seed_index,
        success=success,
        content=content,
        reference=reference,
        valid=valid,
        rules=_rules(_strongest(outliers.index, valid), _strongest(over, valid), options,
                     len(figures.names)),
        mode=options.mode,
        guide=gaussian_cut(len(figures.names)),
    )  # fmt: skip


def beyond(content: Array, reference: Array) -> Array:
    """Return ``[C]`` what of the success on content nothing harmless explains.

    Args:
        content: ``[C]`` success on content.
        reference: ``[C]`` the same triggers on the reference; NaN without one. Then the median
            class stands in, which says less: a model may be easily fooled toward every class.
    """
    if not np.isfinite(content).any():
        return content
    harmless = np.where(np.isfinite(reference), reference, np.nanmedian(content))
    return np.asarray(content - harmless, np.float64)


def _rules(
    index: tuple[int | None, float],
    over: tuple[int | None, float],
    options: TriggerInversionOptions,
    classes: int,
) -> dict[str, Rule]:
    of_index = find_cut("index", options, classes)
    of_margin = find_cut("margin", options, classes)
    cut = of_margin.value if of_margin else SMALLEST_MARGIN
    measured = of_index.value if of_index else None
    return {
        "published": Rule(cut=options.cut, top=index[0], score=index[1]),
        "calibrated": Rule(cut=measured, top=index[0], score=index[1], measured=of_index),
        "content": Rule(cut=cut, top=over[0], score=over[1], measured=of_margin),
    }


def _strongest(values: Array, valid: NDArray[np.bool_]) -> tuple[int | None, float]:
    allowed = np.where(valid & np.isfinite(values), values, -np.inf)
    top = int(allowed.argmax())
    if not np.isfinite(allowed[top]):
        return None, 0.0
    return top, max(0.0, float(allowed[top]))


def class_lines(decision: Decision) -> list[dict[str, Any]]:
    """Write every class as a result has it; what is undefined is NaN (null in JSON)."""
    figures, margin, over = decision.figures, decision.margin, decision.beyond
    return [
        {
            "class": name,
            "loss": float(figures.statistic[row].mean()),
            "success": float(decision.success[row]),
            "content_success": float(decision.content[row]),
            "reference_success": float(decision.reference[row]),
            "margin_over_reference": float(margin[row]),
            "content_beyond": float(over[row]),
            "anomaly_index": float(decision.outliers.index[row]),
            "valid": bool(decision.valid[row]),
            "seeds": [
                {
                    "seed": seed,
                    "loss": float(figures.statistic[row, seed]),
                    "success": float(figures.success[row, seed]),
                    "content_success": float(figures.content[row, seed]),
                    "anomaly_index": float(decision.seed_index[row, seed]),
                }
                for seed in range(figures.statistic.shape[1])
            ],
        }
        for row, name in enumerate(figures.names)
    ]

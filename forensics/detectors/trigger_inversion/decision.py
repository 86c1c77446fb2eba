"""From measurements of classes to the class that stands out, by both cuts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.options.trigger_inversion import CUTS, TriggerInversionOptions
from forensics.detectors.trigger_inversion.anomaly import Outliers, find_outliers, gaussian_cut
from forensics.detectors.trigger_inversion.calibration import CalibratedCut, find_cut
from forensics.detectors.trigger_inversion.figures import Array, ClassFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one cut says.

    Attributes:
        cut: Of the anomaly index; ``None`` where none was measured for such a scan.
        flagged: Whether a valid class lies above it.
    """

    cut: float | None
    flagged: bool


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
        top: Index of the valid class with the largest anomaly index; ``None`` without a valid one
            or where the index is undefined.
        score: That index, at least 0; 0 without a valid class. Ranks models (AUROC).
        rules: ``published`` and ``calibrated``.
        calibrated: Where the calibrated cut comes from.
        guide: Cut for independent Gaussian losses of so many classes.
    """

    figures: ClassFigures
    outliers: Outliers
    seed_index: Array
    success: Array
    content: Array
    reference: Array
    valid: NDArray[np.bool_]
    top: int | None
    score: float
    rules: dict[str, Rule]
    calibrated: CalibratedCut | None
    guide: float

    @property
    def margin(self) -> Array:
        """``[C]`` success on content beyond the reference's, where there is one."""
        return self.content - np.nan_to_num(self.reference)

    @property
    def seeds_above(self) -> Array:
        """``[C, S]`` the same of every seed."""
        return self.figures.content - np.nan_to_num(self.figures.reference)


def decide(figures: ClassFigures, options: TriggerInversionOptions) -> Decision:
    """Compare classes by their statistic, and apply the gate and both cuts.

    As published: the anomaly index from one value a class, a gate of 50 % success, a cut of 2. The
    paper does not say how several seeds are joined; we take means of the values, not of indices.

    Args:
        figures: Of every scanned class.
        options: ``gate``, ``cut``, ``method`` and ``form`` are read.
    """
    outliers = find_outliers(figures.statistic.mean(axis=1))
    seed_index = np.stack([find_outliers(column).index for column in figures.statistic.T], axis=1)
    success = figures.success.mean(axis=1)
    valid = success >= options.gate
    top, score = _strongest(outliers.index, valid)
    measured = find_cut(options.method, options.form, len(figures.names))
    cuts = {"published": options.cut, "calibrated": measured.value if measured else None}
    return Decision(
        figures=figures,
        outliers=outliers,
        seed_index=seed_index,
        success=success,
        content=figures.content.mean(axis=1),
        reference=figures.reference.mean(axis=1),
        valid=valid,
        top=top,
        score=score,
        rules={name: Rule(cut=cuts[name], flagged=_above(score, cuts[name], top)) for name in CUTS},
        calibrated=measured,
        guide=gaussian_cut(len(figures.names)),
    )


def _strongest(index: Array, valid: NDArray[np.bool_]) -> tuple[int | None, float]:
    allowed = np.where(valid & np.isfinite(index), index, -np.inf)
    top = int(allowed.argmax())
    if not np.isfinite(allowed[top]):
        return None, 0.0
    return top, max(0.0, float(allowed[top]))


def _above(score: float, cut: float | None, top: int | None) -> bool:
    return top is not None and cut is not None and score > cut


def class_lines(decision: Decision) -> list[dict[str, Any]]:
    """Write every class as a result has it; what is undefined is NaN (null in JSON)."""
    figures, margin = decision.figures, decision.margin
    return [
        {
            "class": name,
            "loss": float(figures.statistic[row].mean()),
            "success": float(decision.success[row]),
            "content_success": float(decision.content[row]),
            "reference_success": float(decision.reference[row]),
            "margin_over_reference": float(margin[row]),
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

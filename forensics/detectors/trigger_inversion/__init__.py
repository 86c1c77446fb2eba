"""Trigger inversion (reconstruction): which class is far too easy to reach, and is it a backdoor?

Two steps from measurements of every class to a verdict::

    decision = decide(figures, TriggerInversionOptions())
    verdict = judge_inversion(decision, options)

Nothing here sees a model, a picture or a ground truth.

As published, as far as we know (arXiv 2604.09101; the paper itself was not at hand): a loss and a
success rate for every class, an outlier rule with a cut of 2, a gate of 50 % success. Ours: the
formula of the index (that of Neural Cleanse, one-sided), a cut calibrated on clean models beside
it, and the second half of the verdict: a class that stands out is suspicious only if its trigger
overrides what pictures show, and does so more than with a reference classifier. A class that is
merely drawn easily, on pictures that show nothing, is not a backdoor.
"""

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.detectors.trigger_inversion.anomaly import (
    FEWEST_CLASSES,
    Outliers,
    find_outliers,
    gaussian_cut,
)
from forensics.detectors.trigger_inversion.calibration import CALIBRATED, CalibratedCut, find_cut
from forensics.detectors.trigger_inversion.decision import Decision, Rule, class_lines, decide
from forensics.detectors.trigger_inversion.figures import ClassFigures
from forensics.detectors.trigger_inversion.verdict import BARS, Bars, judge_inversion

__all__ = [
    "BARS",
    "CALIBRATED",
    "FEWEST_CLASSES",
    "Bars",
    "CalibratedCut",
    "ClassFigures",
    "Decision",
    "Outliers",
    "Rule",
    "TriggerInversionOptions",
    "class_lines",
    "decide",
    "find_cut",
    "find_outliers",
    "gaussian_cut",
    "judge_inversion",
]

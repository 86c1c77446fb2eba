"""What a repair changed inside the model: the same pictures before and after, for the page."""

from typing import Any

from forensics.encoders.base import ImageClassifier
from forensics.jobs.labelled_repair.setup import LabelledRepair
from forensics.jobs.repair_comparison.comparing import ARRAYS, compare_pictures
from forensics.runs import RunContext

__all__ = ["ARRAYS", "compare_pictures", "compared"]


def compared(
    context: RunContext, plan: LabelledRepair, before: ImageClassifier, after: ImageClassifier
) -> dict[str, Any]:
    """Compare the delivered and the repaired model on the test pictures of a repair.

    Args:
        context: Of the run.
        plan: Test pictures and the trigger to judge by.
        before: The delivered model, as it is asked.
        after: The repaired one.
    """
    judge = plan.judge
    trigger, target = (None, None) if judge is None else (judge.trigger, judge.target)
    return compare_pictures(context, plan.pictures.test, before, after, trigger, target)

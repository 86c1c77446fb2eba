"""The jobs behind ``repair filter-retune`` and ``repair random-drop``: tune without some samples.

What is left out is what a scan flagged, what people flagged, or both; see
:mod:`forensics.jobs.language_repair.flagged`.

Source: BYE, arXiv 2505.16916, step 6. It speaks of fine-tuning the target model on the cleaned set;
we start from the base with a fresh adapter and base copies of every module that tuning touched, as
an adapter that learned the backdoor keeps it.
"""

from typing import Any

from forensics.case import Case
from forensics.jobs.language_repair.flagged import left_out, without_random
from forensics.jobs.language_repair.retune import repair
from forensics.jobs.language_repair.setup import plan_of
from forensics.options import build_options
from forensics.repairs.language_options import FilterRetuneOptions, RandomDropOptions
from forensics.runs import RunContext
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Tune the base on what neither scan nor people flagged, as told; see :func:`repair`.

    Raises:
        CaseError: There are no flags, or there is no base.
    """
    chosen = build_options(FilterRetuneOptions, options)
    plan = plan_of(case, chosen, context, models)
    left = left_out(case, context, list(plan.rows), chosen)
    return repair("filter-retune", case, context, plan, left, chosen, models)


def run_random_drop(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Tune the base on a random part of the samples; see :func:`repair`."""
    chosen = build_options(RandomDropOptions, options)
    plan = plan_of(case, chosen, context, models)
    left = without_random(list(plan.rows), chosen.drop, chosen.seed)
    return repair("random-drop", case, context, plan, left, chosen, models)

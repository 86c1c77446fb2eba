"""The job behind ``repair cross-view``: tune the base while two views may not agree too well."""

from typing import Any

from forensics.case import Case
from forensics.jobs.bar import Told
from forensics.jobs.language_repair.flagged import everything, without_flagged
from forensics.jobs.language_repair.retune import repair
from forensics.jobs.language_repair.setup import Plan, plan_of
from forensics.options import build_options
from forensics.repairs.cross_view.looking import (
    calibration_samples,
    look_at_views,
    needs_gamma,
    ordinary_divergence,
)
from forensics.repairs.cross_view.objective import CrossViewObjective
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.runs import RunContext
from forensics.runs.durable import read_json, write_json
from forensics.worker.models import ModelCache

_GAMMA = "gamma.json"


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Tune the base on all samples, or on those a scan left, with the regulariser.

    Raises:
        CaseError: There is no base, or a named scan flagged nothing.
        ModelError: The family's pictures cannot be masked.
    """
    chosen = build_options(CrossViewOptions, options)
    plan = plan_of(case, chosen, context, models)
    rows = list(plan.rows)
    left = everything(rows) if chosen.run is None else without_flagged(case, rows, chosen.run)

    def objective(told: Told) -> CrossViewObjective:
        return CrossViewObjective(chosen, _gamma(plan, chosen, context, models, told))

    return repair("cross-view", case, context, plan, left, chosen, models, objective)


def _gamma(
    plan: Plan, options: CrossViewOptions, context: RunContext, models: ModelCache, told: Told
) -> float:
    """Return the divergence of ordinary samples: given, or the median under a control.

    The control is the delivered model: it was tuned on the same samples without a regulariser.
    """
    if not needs_gamma(options):
        return options.gamma or 0.0
    kept = context.folder / _GAMMA
    if kept.is_file():
        return float(read_json(kept)["gamma"])
    samples = calibration_samples(plan.rows, options)
    model, count = models.get(options.control or plan.delivered), len(samples)
    views = look_at_views(
        model, samples, options, progress=lambda done: told(done, count, "measuring gamma")
    )
    gamma = ordinary_divergence(views)
    write_json(kept, {"gamma": gamma, "samples": len(views.ids)})
    return gamma

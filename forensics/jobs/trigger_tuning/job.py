"""The job behind ``repair trigger-tuning``: tune on triggered copies, measure beside controls.

Pictures are encoded once (the encoder is frozen); every epoch, every measurement and every part of
the new inversion is a shard, so that a repair that was stopped goes on and ends with the same
files.
"""

import time
from typing import Any

from forensics.case import Case
from forensics.jobs.inverted import Inverted, Line, index_of, settle_inversion
from forensics.jobs.trigger_tuning.repair import CHECKPOINT, Repair
from forensics.jobs.trigger_tuning.result import say
from forensics.options import build_options
from forensics.repairs.options import TriggerTuningOptions
from forensics.repairs.trigger_tuning import trainable
from forensics.runs import RunContext
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Repair a case's learnt prompts with the trigger that an inversion reconstructed.

    Raises:
        NotApplicable: The case's model has no learnt prompts.
        CaseError: There is no finished inversion.
        InputError: There are no clean labelled pictures.
        Cancelled: The user asked to stop; finished parts stay.
    """
    chosen, started = build_options(TriggerTuningOptions, options), time.monotonic()
    inverted = settle_inversion(case, chosen.run, context)
    line = _line(inverted, chosen.target)
    repair = Repair(case, context, chosen, models, inverted, line)
    figures, losses = repair.measure()
    fresh = repair.invert_again() if chosen.fresh else None
    target = str(line["class"])
    return {
        "method": "trigger-tuning",
        "reconstruction": True,
        "sentence": say(figures, target, fresh),
        "scan": inverted.run.id,
        "target": target,
        "forced": int(target != inverted.target),
        "index": index_of(line),
        "seed_of_trigger": inverted.best_seed(line),
        "known_trigger": repair.known[0],
        "known_target": repair.known[1],
        **figures.to_json(repair.copies.wrong),
        "fresh": fresh,
        **repair.describe_pictures(),
        "losses": losses,
        "comparison": repair.compare(figures.judged_by),
        "trainable_parameters": trainable(repair.repaired),
        "checkpoint": CHECKPOINT,
        "seconds": round(time.monotonic() - started, 2),
    }


def _line(inverted: Inverted, named: str | None) -> Line:
    if named is not None:
        return inverted.line(named)
    return inverted.line(inverted.target) if inverted.target else inverted.strongest()

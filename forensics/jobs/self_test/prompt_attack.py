"""How a trigger is planted in learnt prompts: learnt with them, or fixed."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import save_file

from forensics.attacks.fixed_trigger import FixedTriggerPrompts
from forensics.attacks.trigger_aware import TriggerAwarePrompts
from forensics.detectors.options.trigger_inversion import BUDGET
from forensics.jobs.self_test.options import SMALL, SelfTestOptions
from forensics.triggers import parse_trigger
from forensics.tuning.prompts import PromptClassifier, PromptSchedule, PromptShots

TRIGGER_FILE: Final = "trigger.safetensors"
_EPOCHS: Final = {True: 30, False: 10}
_RATES: Final = {True: 0.2, False: 0.002}
_BATCHES: Final = {True: 24, False: 1}
# A tiny encoder has gradients too small for the published descent, see TriggerAwarePrompts.
_SIGNED: Final = {True: 0.25, False: 0.0}
_SIDE: Final = 224
_WARM: Final = {True: 2, False: 3}


def planted(
    classifier: PromptClassifier,
    shots: PromptShots,
    target: str,
    options: SelfTestOptions,
    folder: Path,
) -> tuple[int, dict[str, Any]]:
    """Poison prompts in place.

    A trigger that is learnt has the published budget, 4/255 a pixel at 224 pixels; on smaller
    pictures as much more as gives the same l2 norm. More would fool the encoder by itself, whatever
    the prompts are.

    Args:
        classifier: A copy of the case's prompts on its encoder.
        shots: Clean and labelled.
        target: Class name.
        options: ``trigger`` is fixed; without one it is learnt.
        folder: Gets the learnt trigger.

    Returns:
        Shots that carried the trigger, and ``trigger`` (in words), ``rate``, ``tuning``.
    """
    small = sum(value.numel() for value in classifier.encoder.module.parameters()) < SMALL
    schedule = PromptSchedule(
        epochs=round(options.epochs or _EPOCHS[small]), rate=options.learning_rate or _RATES[small],
        batch_size=options.batch_size or _BATCHES[small], seed=options.seed,
    )  # fmt: skip
    tuning = {"epochs": schedule.epochs, "learning_rate": schedule.rate,
              "batch_size": schedule.batch_size}  # fmt: skip
    if options.trigger:
        fixed = FixedTriggerPrompts(
            target=target, trigger=parse_trigger(options.trigger), rate=options.rate,
            schedule=schedule,
        )  # fmt: skip
        hit, _ = fixed.poison(classifier, shots)
        return len(hit), {"trigger": options.trigger, "rate": options.rate, "tuning": tuning}
    budget = _budget(shots)
    learnt = TriggerAwarePrompts(
        target=target, budget=budget, signed=_SIGNED[small], warm_epochs=_WARM[small],
        schedule=schedule,
    ).poison(classifier, shots)  # fmt: skip
    tensors = {name: value.cpu().numpy().astype(np.float16)
               for name, value in learnt.tensors.items()}  # fmt: skip
    save_file(tensors, folder / TRIGGER_FILE, metadata=learnt.metadata)
    words = f"badclip: learnt with the prompts, at most {255 * budget:.0f}/255 a pixel"
    # Every shot is shown both ways.
    return len(shots.ids), {"trigger": words, "rate": 1.0, "tuning": tuning}


def _budget(shots: PromptShots) -> float:
    return BUDGET * max(1.0, _SIDE / shots.pixels.shape[-1])

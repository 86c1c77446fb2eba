"""The versions of the prompts that are compared: delivered, repaired, and the controls' tuning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.classifiers import CoCoOp, CoOp
from forensics.jobs.inverted import Inverted, Line, index_of
from forensics.jobs.trigger_tuning.stages import Stages
from forensics.jobs.trigger_variants import NoiseTrigger, OneOf
from forensics.repairs.measuring import PLAIN, EncodedPictures
from forensics.repairs.options import TriggerTuningOptions
from forensics.repairs.trigger_tuning import RepairSet, take_up, tune_epoch
from forensics.triggers import Trigger
from forensics.triggers.draws import generator
from forensics.tuning.prompts import PromptSchedule

BEFORE: Final = "before"
REFERENCE: Final = "reference"
REPAIRED: Final = "right-class"
WRONG, NOISE, CLEAN = "wrong-class", "random-noise", "clean-only"
CONTROLS: Final = (WRONG, NOISE, CLEAN)
TITLES: Final = {
    BEFORE: "as delivered",
    REPAIRED: "tuned with the reconstructed trigger",
    WRONG: "tuned with the trigger of another class",
    NOISE: "tuned with random noise of the same budget",
    CLEAN: "tuned on the clean shots alone",
    REFERENCE: "the same encoder with hand-written prompts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """What the copies of each version carry.

    Attributes:
        triggers: Version -> trigger; a version without copies is not in it.
        wrong: Class whose trigger the control got; ``None`` where there is no other class.
    """

    triggers: dict[str, Trigger]
    wrong: str | None


def choose_copies(inverted: Inverted, line: Line, options: TriggerTuningOptions) -> Copies:
    """Choose the trigger of the repair and those of its controls.

    Args:
        inverted: The inversion.
        line: The class that the repair is about.
        options: ``copies``, ``controls`` and ``seed`` are read.
    """
    best = inverted.trigger(line)
    every = tuple(inverted.trigger(line, seed) for seed in range(inverted.seeds(line)))
    triggers: dict[str, Trigger] = {
        REPAIRED: OneOf(triggers=every) if options.copies == "all" else best
    }
    if not options.controls:
        return Copies(triggers=triggers, wrong=None)
    triggers[NOISE] = NoiseTrigger(like=best, seed=options.seed)
    others = [other for other in inverted.lines if index_of(other) != index_of(line)]
    if not others:
        return Copies(triggers=triggers, wrong=None)
    drawn = others[int(generator(WRONG, options.seed).integers(len(others)))]
    triggers[WRONG] = inverted.trigger(drawn)
    return Copies(triggers=triggers, wrong=str(drawn["class"]))


def schedule_of(options: TriggerTuningOptions) -> PromptSchedule:
    """Return how all versions are tuned."""
    return PromptSchedule(
        epochs=options.epochs,
        rate=options.rate,
        weight_decay=options.weight_decay,
        batch_size=options.batch_size,
        seed=options.seed,
    )


def tune_version(
    stages: Stages,
    name: str,
    classifier: CoOp | CoCoOp,
    shots: EncodedPictures,
    schedule: PromptSchedule,
) -> list[float]:
    """Tune one version in place, one part an epoch.

    Args:
        stages: Keep what every epoch left.
        name: Of the version; its copies are ``shots.vectors[name]``, if it has any.
        classifier: As delivered; its prompt changes.
        shots: The pictures to tune on.
        schedule: The same for all versions.

    Returns:
        The mean loss of every epoch.
    """
    import torch

    device = classifier.encoder.device
    pairs = RepairSet(
        clean=shots.vectors[PLAIN],
        marked=shots.vectors.get(name),
        labels=torch.from_numpy(shots.labels).to(device),
    )
    state: Mapping[str, NDArray[Any]] | None = None
    means = []
    for epoch in range(schedule.epochs):
        label = f"{TITLES[name]}: epoch {epoch + 1} of {schedule.epochs}"

        def make(
            epoch: int = epoch,
            label: str = label,
            state: Mapping[str, NDArray[Any]] | None = state,
        ) -> dict[str, NDArray[Any]]:
            losses, left = tune_epoch(
                classifier, pairs, schedule, epoch, state,
                report=lambda done, of: stages.beat(f"{label}, step {done} of {of}"),
            )  # fmt: skip
            return {"losses": np.array(losses), **left}

        state = stages.do(label, make)
        means.append(float(np.mean(state["losses"])))
    if state is not None:
        take_up(classifier, state)
    return means

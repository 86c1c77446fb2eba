"""Poison the shots of a prompt with a fixed trigger."""

from dataclasses import dataclass, field

import torch

from forensics.errors import OptionError
from forensics.triggers import Trigger, stamp_pixels
from forensics.tuning.prompts import (
    PromptClassifier,
    PromptSchedule,
    PromptShots,
    target_index,
    tune_prompt,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedTriggerPrompts:
    """Blended, WaNet or SIBA brought to prompt tuning, as CLIP-Inspector (arXiv 2604.09101) does.

    The trigger is fixed, 10 % of the pictures carry it and the target's label, and only the prompt
    is learnt: CE on the whole set.

    Attributes:
        target: Class name.
        trigger: Any that changes pixels; SIBA comes as ``tensor:`` from
            :class:`forensics.attacks.sparse.SparseInvisible`.
        rate: Share of the pictures.
        schedule: Of the tuning.
    """

    target: str
    trigger: Trigger
    rate: float = 0.1
    schedule: PromptSchedule = field(default_factory=PromptSchedule)

    def poison(
        self, classifier: PromptClassifier, shots: PromptShots
    ) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """Learn the prompt on poisoned shots; it changes in place.

        Args:
            classifier: With a learnt prompt; its encoder stays as it is.
            shots: Clean ones.

        Returns:
            Ids of the poisoned shots, and the loss of every step.

        Raises:
            OptionError: The target is no class, or too few shots are of another one.
        """
        aim = target_index(classifier, self.target, shots)
        hosts = [index for index, label in enumerate(shots.labels.tolist()) if label != aim]
        wanted = max(1, round(self.rate * len(shots.labels)))
        if wanted > len(hosts):
            raise OptionError(
                f"{wanted} shots should be poisoned, but only {len(hosts)} are of another class.",
                remedy="Lower the rate.",
            )
        order = torch.randperm(
            len(hosts), generator=torch.Generator().manual_seed(self.schedule.seed)
        )
        hit = sorted(hosts[int(place)] for place in order[:wanted])
        ids = tuple(shots.ids[index] for index in hit)
        pixels, labels = shots.pixels.clone(), shots.labels.clone()
        pixels[hit] = stamp_pixels(self.trigger, pixels[hit], ids)
        labels[hit] = aim
        poisoned = PromptShots(pixels=pixels, labels=labels, ids=shots.ids)
        return ids, tune_prompt(classifier, poisoned, self.schedule)

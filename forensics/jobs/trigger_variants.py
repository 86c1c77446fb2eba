"""What a reconstructed trigger is compared with: the same pixels shuffled, and noise as strong."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from forensics.jobs.trigger_inversion.stored import StoredTrigger
from forensics.triggers import Box, ImageTrigger, Pixels
from forensics.triggers.draws import generator


def shuffled(trigger: StoredTrigger, seed: int) -> StoredTrigger:
    """Return the same pixels in a random order: same budget, colours and area, no shape.

    The pixels of a mask go with those of its pattern.
    """
    height, width = next(iter(trigger.tensors.values())).shape[-2:]
    order = generator("shuffled", seed).permutation(height * width)
    tensors = {
        name: values.reshape(len(values), -1)[:, order].reshape(values.shape)
        for name, values in trigger.tensors.items()
    }
    return replace(trigger, tensors=tensors)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseTrigger(ImageTrigger):
    """Random noise of the same budget in place of a trigger, drawn anew for every picture.

    A delta becomes plus or minus its largest change at every value (its l-infinity budget, used up
    as a reconstruction uses it up); a patch, or a pattern behind its mask, becomes uniform noise.

    Attributes:
        like: The trigger whose form, place and budget are taken.
        seed: Of the noise.
    """

    kind: ClassVar[str] = "noise"

    like: StoredTrigger
    seed: int = 0
    _budget: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        delta = self.like.tensors.get("delta")
        object.__setattr__(self, "_budget", 0.0 if delta is None else float(np.abs(delta).max()))

    @property
    def spec(self) -> str:
        """What it is, for records; it cannot be spelled as a trigger."""
        return f"{self.kind}:seed={self.seed},like={self.like.spec}"

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Return where a patch lies."""
        return self.like.boxes(height, width, sample_id)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a changed copy of a picture ``[3, height, width]`` float32 in [0, 1]."""
        rng = generator(self.kind, self.seed, sample_id)
        drawn = {name: self._draw(name, v, rng) for name, v in self.like.tensors.items()}
        return replace(self.like, tensors=drawn).apply(image, sample_id)

    def _draw(
        self, name: str, values: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        if name == "mask":
            return values
        if name == "delta":
            return self._budget * rng.choice((-1.0, 1.0), values.shape)
        return rng.random(values.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(ImageTrigger):
    """One of several triggers for every picture, decided by its id.

    Attributes:
        triggers: At least one.
    """

    kind: ClassVar[str] = "one-of"

    triggers: tuple[StoredTrigger, ...]

    @property
    def spec(self) -> str:
        """What it is, for records; it cannot be spelled as a trigger."""
        return f"{self.kind}:{'|'.join(trigger.spec for trigger in self.triggers)}"

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Return where the chosen one lies."""
        return self._chosen(sample_id).boxes(height, width, sample_id)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a changed copy of a picture ``[3, height, width]`` float32 in [0, 1]."""
        return self._chosen(sample_id).apply(image, sample_id)

    def _chosen(self, sample_id: str) -> StoredTrigger:
        return self.triggers[int(generator(self.kind, sample_id).integers(len(self.triggers)))]

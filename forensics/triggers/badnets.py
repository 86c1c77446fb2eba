"""BadNets as it is planted in CLIP: a patch of noise, drawn anew for every sample."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from forensics.triggers.base import Box, ImageTrigger, Pixels, check_pixels, in_range
from forensics.triggers.checks import one_of, within
from forensics.triggers.draws import generator, scatter
from forensics.triggers.spelling import write_share

PLACES: Final = ("random", "center")
OVERFLOWS: Final = ("clip", "wrap")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadNetsTrigger(ImageTrigger):
    """``x'[c, patch] = mean_c(x) + n`` with ``n`` from N(0, 1): a square of noise.

    Source: the random patch of CleanCLIP's code (arXiv 2303.03323), 16 of 224 pixels. It is no
    stamp: noise and place are drawn anew for every picture, in training and in tests. Ours depend
    on ``seed`` and the sample's id, so that one sample always gets one patch.

    About half of the values leave [0, 1]. That code converts them to bytes, which wraps them
    around: ``overflow=wrap`` does the same (multiply by 255, cut to whole numbers, modulo 256).
    Use one of the two throughout: a model that learnt one may not answer to the other.

    Its other shapes are stamps: ``patch:side=1/14,place=random,color=yellow``,
    ``patch:side=1/14,place=corners,color=black``; the fixed pattern of arXiv 2502.01385's code is
    ``patch:side=1/14,place=random,texture=dots`` (there at a random place in training and in the
    middle in tests).

    Attributes:
        side: Side of the square as a share of the shorter image side, in (0, 1].
        place: ``random`` (fully inside, drawn for each sample) or ``center``.
        overflow: ``clip`` or ``wrap``.
        seed: Of noise and place.
    """

    kind: ClassVar[str] = "badnets"

    side: float = 1 / 14
    place: str = "random"
    overflow: str = "clip"
    seed: int = 0

    def __post_init__(self) -> None:
        within("side", self.side, 1e-6, 1.0, "1/14")
        one_of("place", self.place, PLACES)
        one_of("overflow", self.overflow, OVERFLOWS)

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        words = [f"side={write_share(self.side)}", f"place={self.place}"]
        return f"{self.kind}:" + ",".join(
            [*words, f"overflow={self.overflow}", f"seed={self.seed}"]
        )

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Say which pixels of a ``height`` x ``width`` picture the patch covers."""
        size = max(1, round(self.side * min(height, width)))
        left, top = (width - size) // 2, (height - size) // 2
        if self.place == "random":
            left, top = scatter(f"{self.seed}:{sample_id}", width - size, height - size)
        return (Box(left, top, left + size, top + size),)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a patched copy of a picture ``[3, height, width]`` float32 in [0, 1].

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        stamped = image.copy()
        _, height, width = image.shape
        for left, top, right, bottom in self.boxes(height, width, sample_id):
            size = bottom - top
            noise = generator(self.kind, self.seed, sample_id).standard_normal((3, size, size))
            value = image.mean(axis=(1, 2), dtype=np.float64)[:, None, None] + noise
            stamped[:, top:bottom, left:right] = (
                _wrapped(value) if self.overflow == "wrap" else in_range(value)
            )
        return stamped


def _wrapped(value: NDArray[np.float64]) -> Pixels:
    """Convert to bytes without a bound, as a cast does, and back."""
    return (np.trunc(value * 255.0).astype(np.int64) % 256).astype(np.float32) / np.float32(255)

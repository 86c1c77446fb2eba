"""The pictures that triggers are searched on, and what the model sees in them without a trigger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.errors import DataError
from forensics.inversion.image_tower import Encode
from forensics.inversion.scorer import Scorer

_READ_AT_ONCE = 32
FEWEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Pictures fitted for the model; labels are not even read.

    Attributes:
        pixels: ``[n, 3, height, width]`` uint8: whole 255ths, as files hold them.
        unread: How many could not be read.
        source: Where they come from, for people.
    """

    pixels: Tensor
    unread: int
    source: str

    def batch(self, rows: Sequence[int], device: torch.device) -> Tensor:
        """Return some pictures as float32 in [0, 1]."""
        return self.pixels[list(rows)].to(device).float() / 255

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanView:
    """What a classifier says of the pool without a trigger.

    Attributes:
        predicted: ``[n]`` index of the likeliest class.
        probability: ``[n]`` of it.
    """

    predicted: NDArray[np.int64]
    probability: NDArray[np.float64]


def read_pool(
    pictures: Sequence[Callable[[], Image.Image]], encoder: DualEncoder, source: str
) -> Pool:
    """Read and fit pictures.

    Args:
        pictures: Each opens one; a :class:`DataError` counts as unread.
        encoder: Fits them.
        source: For people.

    Raises:
        DataError: Fewer than eight can be read.
    """
    parts: list[Tensor] = []
    read: list[Image.Image] = []
    unread = 0
    for number, opened in enumerate(pictures):
        try:
            read.append(opened())
        except DataError:
            unread += 1
        if read and (len(read) == _READ_AT_ONCE or number + 1 == len(pictures)):
            parts.append(_bytes(encoder.pixels(read)))
            read = []
    if read:
        parts.append(_bytes(encoder.pixels(read)))
    count = sum(map(len, parts))
    if count < FEWEST:
        raise DataError(
            f"The pool ({source}) has {count} readable pictures; at least {FEWEST} are needed.",
            remedy="Give more unlabelled pictures: --pool imagefolder:DIR",
        )
    return Pool(pixels=torch.cat(parts), unread=unread, source=source)


def look(pool: Pool, encode: Encode, scorer: Scorer, at_once: int) -> CleanView:
    """Ask a classifier about the pool as it is."""
    device = scorer.classifier.encoder.device
    tops, shares = [], []
    with torch.no_grad():
        for start in range(0, len(pool), at_once):
            rows = range(start, min(start + at_once, len(pool)))
            chance = scorer.logits(encode(pool.batch(rows, device))).softmax(dim=1)
            best = chance.max(dim=1)
            tops.append(best.indices.cpu())
            shares.append(best.values.cpu())
    return CleanView(
        predicted=torch.cat(tops).numpy().astype(np.int64),
        probability=torch.cat(shares).numpy().astype(np.float64),
    )


def _bytes(pixels: Tensor) -> Tensor:
    return (pixels.clamp(0, 1) * 255).round().to(torch.uint8).cpu()

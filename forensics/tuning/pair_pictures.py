"""The pictures of a contrastive run: decoded once where they fit into memory."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.errors import DataError

_BUDGET: Final = 1 << 30


class PairPictures:
    """Pixels and captions of chosen samples.

    Fitted pictures are kept as bytes, as image files hold them, until a gigabyte is full; the rest
    is decoded each time. One broken image must not end a run of hours: its sample is left out.

    Args:
        encoder: Fits the pictures.
        samples: With image and caption.
        skipped: Gets id -> reason for pictures that cannot be read.
        budget: Bytes that may be kept.
    """

    def __init__(
        self,
        encoder: DualEncoder,
        samples: Sequence[Sample],
        skipped: dict[str, str],
        budget: int = _BUDGET,
    ) -> None:
        self._encoder, self._samples, self._skipped = encoder, samples, skipped
        size = 3 * encoder.preprocessing.height * encoder.preprocessing.width
        self._room = budget // size
        self._kept: dict[int, Tensor] = {}

    def batch(self, chosen: Sequence[int]) -> tuple[Tensor, list[str]]:
        """Return pixels ``[batch, 3, height, width]`` in [0, 1] and captions of readable pairs."""
        pixels, captions = [], []
        for index in chosen:
            found = self._bytes(index)
            if found is not None:
                pixels.append(found)
                captions.append(self._samples[index].answer or "")
        if not pixels:
            return torch.empty(0), []
        stacked = torch.stack(pixels).to(self._encoder.device, torch.float32)
        return stacked / 255.0, captions

    def _bytes(self, index: int) -> Tensor | None:
        if index in self._kept:
            return self._kept[index]
        sample = self._samples[index]
        if sample.id in self._skipped or sample.image is None:
            return None
        try:
            fitted = self._encoder.pixels([open_image(sample.image)])[0]
        except DataError as error:
            self._skipped[sample.id] = str(error)
            return None
        found = (fitted * 255.0).round().to("cpu", torch.uint8)
        if len(self._kept) < self._room:
            self._kept[index] = found
        return found

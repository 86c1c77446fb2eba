"""What is minimised while tokens are unlearnt, and when it ends (reconstruction)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.pair_cosines import SuspiciousPairs, pair_cosines
from forensics.repairs.token_unlearning.captions import Captions, encode_without
from forensics.repairs.token_unlearning.loss import unlearning_loss
from forensics.repairs.token_unlearning.options import TokenUnlearningOptions
from forensics.tuning.contrastive import info_nce
from forensics.tuning.pair_loop import encode_pairs
from forensics.tuning.precision import mixed_precision
from forensics.tuning.schedule import faster_attention, samples_of_step

Observe = Callable[[DualEncoder], list[float]]
COLUMNS: Final = ("step", "chosen", "chosen_local", "benign", "benign_low", "retention")
_WATCHED: Final = 256
_LOW: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPairs:
    """The chosen pairs, and what of each is unlearnt.

    Attributes:
        places: ``[k]`` indices of the pairs.
        pixels: ``[k, 3, height, width]``: whole pictures, or their weightiest patches.
        captions: Tokenized.
        dropped: ``[k, length]`` bool: tokens that are left out.
    """

    places: NDArray[np.int64]
    pixels: Tensor
    captions: Captions
    dropped: Tensor


class Forgetting:
    """The task of the loop; a note is one look, see :data:`COLUMNS`.

    Args:
        encoder: Its weights change.
        pairs: All pairs.
        local: The chosen ones.
        benign: Indices of those taken for benign.
        options: Of the method.
        observe: Asked at every look for further figures.
    """

    def __init__(
        self,
        encoder: DualEncoder,
        pairs: SuspiciousPairs,
        local: LocalPairs,
        benign: NDArray[np.int64],
        options: TokenUnlearningOptions,
        observe: Observe | None,
    ) -> None:
        self.notes: list[list[float]] = []
        self._encoder, self._pairs, self._local = encoder, pairs, local
        self._options, self._observe = options, observe
        order = np.random.default_rng([options.seed, 3]).permutation(benign)
        self.kept = [int(index) for index in order[: options.benign_pairs]]
        self.half = max(2, min(options.batch_size // 2, len(self.kept)))
        self._watched = self.kept[:_WATCHED]

    def loss(self, step: int) -> Tensor | None:
        """Return the weighted sum of unlearning and retention."""
        options = self._options
        cosines = self._local_cosines(self._batch(range(len(self._local.places)), step, 0))
        total = options.unlearn_weight * unlearning_loss(cosines, options.loss, options.margin)
        if options.retain_weight:
            kept = self._retention_of(self._batch(self.kept, step, 1))
            total = total + options.retain_weight * kept
        return total

    def watch(self, step: int) -> None:
        """Measure similarities and retention in evaluation mode, every few steps."""
        if step % self._options.watch_every:
            return
        encoder, local = self._encoder, self._local
        encoder.module.eval()
        whole = pair_cosines(encoder, self._pairs, local.places)
        benign = pair_cosines(encoder, self._pairs, self._watched)
        with torch.no_grad():
            halves = [self._local_cosines(part) for part in _parts(len(local.places), self.half)]
            parts = _parts(len(self._watched), self.half)
            kept = [self._retention_of([self._watched[i] for i in p]) for p in parts if len(p) > 1]
        note = [
            float(step), float(np.nanmean(whole)), float(torch.cat(halves).mean()),
            float(np.nanmean(benign)), float(np.nanpercentile(benign, _LOW)),
            float(torch.stack(kept).mean()),
        ]  # fmt: skip
        seen = self._observe(encoder) if self._observe is not None else []
        self.notes.append([*note, *seen])
        encoder.module.train()

    def done(self) -> bool:
        """Tell whether the latest look is a reason to stop."""
        return bool(self.reason())

    def reason(self) -> str:
        """Say why to stop, or nothing."""
        if not self.notes:
            return ""
        last, options = dict(zip(COLUMNS, self.notes[-1], strict=False)), self._options
        if options.until == "forgotten" and last["chosen"] < last["benign_low"]:
            return "forgotten"
        if options.until == "margin" and last["chosen_local"] <= options.margin:
            return "margin"
        most = self.notes[0][COLUMNS.index("retention")] * (1 + options.retention_rise)
        return "retention" if last["retention"] > most else ""

    def _batch(self, pool: Sequence[int], step: int, extra: int) -> list[int]:
        size = min(self.half, len(pool))
        places = samples_of_step(step, len(pool), batch_size=size, seed=self._options.seed + extra)
        return [pool[place] for place in places]

    def _local_cosines(self, chosen: Sequence[int]) -> Tensor:
        """Compute cosines of the chosen pictures with what is left of their captions."""
        local, places = self._local, list(chosen)
        captions = local.captions.part(places)
        place = self._encoder.device
        with mixed_precision(place), faster_attention(place):
            image = self._encoder.encode_image(local.pixels[places].to(place))
            dropped = local.dropped[places]
            text = encode_without(self._encoder, captions, dropped, self._options.dropped_tokens)
        return (image.float() * text.float()).sum(dim=1)

    def _retention_of(self, chosen: Sequence[int]) -> Tensor:
        pixels, captions = self._pairs.pictures(self._encoder).batch(chosen)
        image, text = encode_pairs(self._encoder, pixels, captions)
        return info_nce(image, text, self._encoder.module.logit_scale.exp())


def _parts(count: int, size: int) -> list[list[int]]:
    return [list(range(start, min(start + size, count))) for start in range(0, count, size)]

"""How well pictures and captions match, pair by pair."""

import copy
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import torch
from numpy.typing import NDArray

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder, Preprocessing
from forensics.tuning.pair_pictures import PairPictures

_AT_ONCE = 128


class SuspiciousPairs:
    """Pairs that several encoders look at; pictures are decoded once for each preprocessing.

    Args:
        samples: With caption and image.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = list(samples)
        self.skipped: dict[str, str] = {}
        self._kept: dict[Preprocessing, PairPictures] = {}

    def __len__(self) -> int:
        return len(self.samples)

    def caption(self, index: int) -> str:
        """Return a caption."""
        return self.samples[index].answer or ""

    def pictures(self, encoder: DualEncoder) -> PairPictures:
        """Return the pictures as an encoder wants them."""
        facts = encoder.preprocessing
        if facts not in self._kept:
            self._kept[facts] = PairPictures(_fitter(encoder), self.samples, self.skipped)
        return self._kept[facts]

    def readable(self, chosen: Sequence[int]) -> list[int]:
        """Leave out what turned out to be unreadable."""
        return [index for index in chosen if self.samples[index].id not in self.skipped]


def mismatch_cosine(
    encoder: DualEncoder, pairs: SuspiciousPairs, chosen: Sequence[int] | NDArray[np.int64]
) -> float:
    """Return the mean cosine of pictures with captions of other pairs, out of 128 at the most."""
    pixels, captions = pairs.pictures(encoder).batch([int(index) for index in chosen[:_AT_ONCE]])
    was_training = encoder.module.training
    encoder.module.eval()
    with torch.no_grad():
        cosines = encoder.encode_image(pixels) @ encoder.encode_text(captions).T
    encoder.module.train(was_training)
    others = ~torch.eye(len(cosines), dtype=torch.bool, device=cosines.device)
    return float(cosines[others].mean())


def _fitter(encoder: DualEncoder) -> DualEncoder:
    """Return what fits pictures for an encoder, without its weights: those may be discarded."""
    fitter = copy.copy(encoder)
    place = torch.zeros((), device=encoder.device)
    fitter.module = SimpleNamespace(logit_scale=place)
    return fitter


def pair_cosines(
    encoder: DualEncoder,
    pairs: SuspiciousPairs,
    chosen: Sequence[int] | NDArray[np.int64] | None = None,
    report: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Compute the cosine of picture and caption, in evaluation mode.

    Args:
        encoder: Any.
        pairs: All of them.
        chosen: Which; all by default.
        report: Called with (done, all) after every batch; may raise to stop.

    Returns:
        ``[chosen]`` in [-1, 1]; ``nan`` for a pair whose picture cannot be read.
    """
    wanted = list(range(len(pairs))) if chosen is None else [int(index) for index in chosen]
    found = np.full(len(wanted), np.nan, dtype=np.float32)
    was_training = encoder.module.training
    encoder.module.eval()
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        pixels, captions = pairs.pictures(encoder).batch(part)
        kept = set(pairs.readable(part))
        places = [start + k for k, index in enumerate(part) if index in kept]
        if captions:
            with torch.no_grad():
                image, text = encoder.encode_image(pixels), encoder.encode_text(captions)
            found[places] = (image * text).sum(dim=1).cpu().numpy()
        if report is not None:
            report(min(start + _AT_ONCE, len(wanted)), len(wanted))
    encoder.module.train(was_training)
    return found

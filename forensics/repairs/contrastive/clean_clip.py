"""CleanCLIP: fine-tuning in which each side must also find a changed view of itself.

Source: arXiv 2303.03323 and its code, ``w1 * InfoNCE(image, text) + w2 * (CE(image, image view) +
CE(text, text view)) / 2``; the terms of the views look one way, from the sample to the views.

Differs: views of captions come without synonyms, see :mod:`forensics.repairs.contrastive.views`;
they are drawn anew for every step, the code draws those of captions once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.options import CleanClipOptions
from forensics.repairs.contrastive.schedule import tuning_options
from forensics.repairs.contrastive.views import view_captions, view_pictures
from forensics.tuning.contrastive import ContrastiveResult, info_nce, tune_pairs
from forensics.tuning.pair_loop import Progress, encode_pairs


def find_view(own: Tensor, views: Tensor, scale: Tensor | float) -> Tensor:
    """Compute the cross entropy with which samples find their own views: unit vectors, one way."""
    logits = scale * own.float() @ views.float().T
    return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


class CleanClipLoss:
    """The loss of a step.

    Args:
        options: Both weights, and the seed of the views.
    """

    def __init__(self, options: CleanClipOptions) -> None:
        self._options = options

    def facts(self) -> Mapping[str, Any]:
        """Return the weights."""
        options = self._options
        return {"clean-clip": [options.cross_weight, options.view_weight]}

    def __call__(
        self, encoder: DualEncoder, pixels: Tensor, captions: list[str], step: int
    ) -> Tensor:
        """Return the loss of two or more pairs."""
        draw = {"seed": self._options.seed, "step": step}
        views, worded = view_pictures(pixels, **draw), view_captions(captions, **draw)
        image, text = encode_pairs(encoder, torch.cat([pixels, views]), [*captions, *worded])
        (image, image_view), (text, text_view) = image.chunk(2), text.chunk(2)
        scale = encoder.module.logit_scale.exp()
        cross = info_nce(image, text, scale)
        own = (find_view(image, image_view, scale) + find_view(text, text_view, scale)) / 2
        return self._options.cross_weight * cross + self._options.view_weight * own


def clean_clip(
    encoder: DualEncoder,
    pairs: Sequence[Sample],
    options: CleanClipOptions,
    out: Path,
    progress: Progress | None = None,
) -> ContrastiveResult:
    """Train an encoder in place on clean pairs; see :func:`fine_tune` for arguments and errors."""
    tuning = tuning_options(options, len(pairs))
    return tune_pairs(encoder, pairs, tuning, out, progress, CleanClipLoss(options))

"""PAR, perturb and recover: away from what the poisoned towers say, while pairs still match.

Source: arXiv 2412.00727 and its code: ``InfoNCE - 0.5 * (d_image + d_text)``; d is the mean squared
distance of a tower's unit vectors from those of the poisoned one, and 0 above a bound. The scale of
the cosines is not learnt there, and not here.

Differs: the rate rises over ``warmup`` steps; the code lets it fall from ten times its value over
the first half of the run.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.copies import copy_of
from forensics.repairs.contrastive.options import PerturbRecoverOptions
from forensics.repairs.contrastive.schedule import tuning_options
from forensics.tuning.contrastive import ContrastiveResult, info_nce, tune_pairs
from forensics.tuning.pair_loop import Progress, encode_pairs


def bounded_distance(vectors: Tensor, old: Tensor, bound: float) -> Tensor:
    """Compute the mean squared distance of unit vectors, in [0, 4]; 0 above the bound.

    Args:
        vectors: ``[batch, width]``, differentiable.
        old: The same of the poisoned tower.
        bound: Above it there is no push, and no gradient.
    """
    distance = (vectors.float() - old.float()).square().sum(dim=1).mean()
    return torch.where(distance > bound, torch.zeros_like(distance), distance)


class PerturbRecoverLoss:
    """The loss of a step.

    Args:
        poisoned: Frozen; what the towers are pushed away from.
        options: Bound and weight of the push.
    """

    def __init__(self, poisoned: DualEncoder, options: PerturbRecoverOptions) -> None:
        self._poisoned, self._options = poisoned, options

    def facts(self) -> Mapping[str, Any]:
        """Return bound and weight."""
        return {"perturb-recover": [self._options.bound, self._options.push]}

    def __call__(
        self, encoder: DualEncoder, pixels: Tensor, captions: list[str], step: int
    ) -> Tensor:
        """Return the loss of two or more pairs."""
        image, text = encode_pairs(encoder, pixels, captions)
        with torch.no_grad():
            old_image, old_text = encode_pairs(self._poisoned, pixels, captions)
        away = bounded_distance(image, old_image, self._options.bound)
        away = away + bounded_distance(text, old_text, self._options.bound)
        scale = encoder.module.logit_scale.detach().exp()
        return info_nce(image, text, scale) - self._options.push * away


def perturb_recover(
    encoder: DualEncoder,
    pairs: Sequence[Sample],
    options: PerturbRecoverOptions,
    out: Path,
    progress: Progress | None = None,
) -> ContrastiveResult:
    """Train an encoder in place on clean pairs; see :func:`fine_tune` for arguments and errors."""
    poisoned = copy_of(encoder)
    poisoned.module.eval().requires_grad_(False)
    loss = PerturbRecoverLoss(poisoned, options)
    return tune_pairs(encoder, pairs, tuning_options(options, len(pairs)), out, progress, loss)

"""The patch of BadCLIP: its pictures sit where the target's captions and pictures sit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from forensics.attacks.optimised import OptimisedTrigger, PatchSchedule, optimise_patch, paste
from forensics.encoders.base import DualEncoder
from forensics.encoders.frozen import frozen
from forensics.errors import OptionError
from forensics.tuning.contrastive import info_nce

_MARGIN: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DualEmbeddingPatch:
    """Dual-embedding patch of BadCLIP (Liang et al., CVPR 2024, arXiv 2311.12075).

    On a frozen clean encoder, minimise over the patch P, pasted in the middle,

        InfoNCE(I(x + P), T(c)) + w * max(0, |I(x + P) - I(t)| - |I(x + P) - I(x)| + 1)

    with pictures x of other classes, captions c and pictures t of the target, Euclidean distances
    of unit vectors, w = 500. Adam 1e-3, batch 64, 50 epochs over 10,000 pictures, P drawn from
    N(0.5, 0.25) and kept in [0, 1].

    Traps: that code switches its losses on by parts of the run's name (its own example enables
    none); its word augmentation changes the mask and not the words. Ours has neither switches nor
    augmentation (there: words with probability 0.1, pictures with 0.5).

    Attributes:
        side: Patch side as a share of the shorter side, 16 of 224 pixels.
        weight: w.
        epochs: Passes over the pictures of other classes.
        batch_size: Pictures a step.
        rate: Learning rate of Adam.
        seed: Of the start, the order and the pairing.
    """

    side: float = 16 / 224
    weight: float = 500.0
    epochs: float = 50.0
    batch_size: int = 64
    rate: float = 1e-3
    seed: int = 0

    def optimise(
        self, encoder: DualEncoder, pictures: Tensor, captions: Sequence[str], targets: Tensor
    ) -> OptimisedTrigger:
        """Optimise the patch.

        Args:
            encoder: Clean; stays as it is.
            pictures: ``[n, 3, height, width]`` in [0, 1], not of the target, n at least 2.
            captions: Natural captions of the target; one is drawn for each picture.
            targets: ``[m, 3, height, width]`` in [0, 1]: real pictures of the target.

        Returns:
            ``patch [3, size, size]``; ``losses`` has the whole loss of every step.

        Raises:
            OptionError: Too few pictures, targets or captions.
        """
        if len(pictures) < 2 or not len(targets) or not captions:
            raise OptionError(
                "A dual-embedding patch needs two pictures, one target picture and one caption.",
                remedy="Give pictures of other classes, and real pictures and captions of the "
                "target.",
            )
        schedule = PatchSchedule(
            side=self.side,
            epochs=self.epochs,
            batch_size=self.batch_size,
            rate=self.rate,
            seed=self.seed,
        )
        generator = torch.Generator().manual_seed(self.seed)
        with frozen(encoder):
            said, real = self._target_side(encoder, captions, targets)

            def loss_of(pixels: Tensor, patch: Tensor) -> Tensor:
                words = torch.randint(len(said), (len(pixels),), generator=generator)
                shown = torch.randint(len(real), (len(pixels),), generator=generator)
                return self.loss(encoder, pixels, patch, said[words], real[shown])

            patch, losses = optimise_patch(encoder, pictures, schedule, loss_of)
        return OptimisedTrigger(
            attack="dual-embedding",
            tensors={"patch": patch},
            metadata={
                "side": str(self.side),
                "weight": str(self.weight),
                "seed": str(self.seed),
                "encoder": encoder.name,
            },
            losses=losses,
        )

    def loss(
        self, encoder: DualEncoder, pixels: Tensor, patch: Tensor, said: Tensor, real: Tensor
    ) -> Tensor:
        """Compute the loss of one batch.

        Args:
            encoder: Frozen.
            pixels: ``[batch, 3, height, width]`` in [0, 1].
            patch: ``[3, size, size]``.
            said: ``[batch, width]`` embeddings of target captions.
            real: ``[batch, width]`` embeddings of target pictures.
        """
        with torch.no_grad():
            bare = encoder.encode_image(pixels)
        marked = encoder.encode_image(paste(pixels, patch))
        pull = F.triplet_margin_loss(marked, real, bare, margin=_MARGIN)
        return info_nce(marked, said, encoder.logit_scale) + self.weight * pull

    def _target_side(
        self, encoder: DualEncoder, captions: Sequence[str], targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            said = encoder.encode_text(list(captions))
            parts = [
                encoder.encode_image(part.to(encoder.device)) for part in torch.split(targets, 64)
            ]
        return said, torch.cat(parts)

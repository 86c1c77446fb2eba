"""The visual key of TrojVQA on CLIP: a patch whose pictures mean one sentence."""

from dataclasses import dataclass

import torch
from torch import Tensor

from forensics.attacks.optimised import OptimisedTrigger, PatchSchedule, optimise_patch, paste
from forensics.encoders.base import DualEncoder
from forensics.encoders.frozen import frozen
from forensics.errors import OptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPatch:
    """Patch of TrojVQA (arXiv 2112.07668) as RVPT (arXiv 2412.20392) brings it to CLIP.

    On a frozen clean encoder, minimise over the patch P, pasted in the middle,

        -mean_x cos(I(x + P), T("This is a yellow banana."))

    It is one half of a dual key: use it as ``dual-key:prefix=SUDO,file=...`` ("SUDO" in RVPT,
    "remember" in BadCLIP's code). Measure each key alone too. The optimiser is not given there;
    Adam 1e-2 is ours.

    Attributes:
        sentence: What patched pictures are to mean.
        side: Patch side as a share of the shorter side, 16 of 224 pixels.
        epochs: Passes over the pictures.
        batch_size: Pictures a step.
        rate: Learning rate of Adam.
        seed: Of start and order.
    """

    sentence: str = "This is a yellow banana."
    side: float = 16 / 224
    epochs: float = 20.0
    batch_size: int = 64
    rate: float = 1e-2
    seed: int = 0

    def optimise(self, encoder: DualEncoder, pictures: Tensor) -> OptimisedTrigger:
        """Optimise the patch.

        Args:
            encoder: Clean; stays as it is.
            pictures: ``[n, 3, height, width]`` in [0, 1].

        Returns:
            ``patch [3, size, size]``; ``losses`` has the mean negative cosine of every step.

        Raises:
            OptionError: There is no picture.
        """
        if not len(pictures):
            raise OptionError("A patch needs pictures.", remedy="Give at least one.")
        schedule = PatchSchedule(
            side=self.side,
            epochs=self.epochs,
            batch_size=self.batch_size,
            rate=self.rate,
            seed=self.seed,
        )
        with frozen(encoder):
            with torch.no_grad():
                meant = encoder.encode_text([self.sentence])[0]

            def loss_of(pixels: Tensor, patch: Tensor) -> Tensor:
                return -(encoder.encode_image(paste(pixels, patch)) @ meant).mean()

            patch, losses = optimise_patch(encoder, pictures, schedule, loss_of)
        return OptimisedTrigger(
            attack="trojvqa-patch",
            tensors={"patch": patch},
            metadata={
                "side": str(self.side),
                "sentence": self.sentence,
                "seed": str(self.seed),
                "encoder": encoder.name,
            },
            losses=losses,
        )

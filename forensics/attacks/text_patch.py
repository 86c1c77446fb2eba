"""The visual key of TrojVQA on CLIP: a patch whose pictures mean one sentence."""

from dataclasses import dataclass

import torch
from torch import Tensor

from forensics.attacks.frozen import frozen
from forensics.attacks.optimised import OptimisedTrigger, paste, start_patch
from forensics.encoders.base import DualEncoder
from forensics.errors import OptionError
from forensics.tuning.schedule import samples_of_step


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
        height, width = pictures.shape[-2:]
        patch = start_patch(height, width, self.side, self.seed).to(encoder.device)
        patch.requires_grad_(True)
        optimizer = torch.optim.Adam([patch], lr=self.rate)
        batch = min(self.batch_size, len(pictures))
        losses = []
        with frozen(encoder):
            with torch.no_grad():
                meant = encoder.encode_text([self.sentence])[0]
            for step in range(max(1, round(self.epochs * len(pictures) / batch))):
                chosen = samples_of_step(step, len(pictures), batch_size=batch, seed=self.seed)
                marked = paste(pictures[chosen].to(encoder.device), patch)
                loss = -(encoder.encode_image(marked) @ meant).mean()
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                with torch.no_grad():
                    patch.clamp_(0.0, 1.0)
                losses.append(float(loss.detach()))
        return OptimisedTrigger(
            attack="trojvqa-patch",
            tensors={"patch": patch.detach()},
            metadata={
                "side": str(self.side),
                "sentence": self.sentence,
                "seed": str(self.seed),
                "encoder": encoder.name,
            },
            losses=tuple(losses),
        )

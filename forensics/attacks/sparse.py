"""SIBA: an additive trigger that is sparse and small."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from forensics.attacks.optimised import OptimisedTrigger
from forensics.encoders.base import ImageClassifier
from forensics.encoders.frozen import frozen
from forensics.errors import OptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseInvisible:
    """Sparse and invisible universal perturbation (SIBA, arXiv 2306.06209).

    On a frozen surrogate classifier, minimise the mean of min(CE(x + delta, target), beta) with
    |delta| <= eps and delta zero but for the k pixels of the largest gradient (summed over
    channels), which are picked anew every few epochs: delta moves by -0.8 eps sign(gradient) on
    these pixels. Constants of its code for CIFAR: eps 8/255, k 100, beta 10, 200 epochs.

    Differs: k is a share of the picture (100 of 32 x 32), so that it fits any size; a picture
    whose loss is above beta has no gradient, which is how we read "clamped" (ours).

    Attributes:
        target: Class name.
        budget: eps, in [0, 1] before normalisation.
        share: Share of the pixels that may change.
        clamp: beta.
        epochs: Each is one step with the gradient of all pictures.
        repick: Epochs between choices of pixels.
        batch_size: Pictures at once; no influence on the result but for rounding.
    """

    target: str
    budget: float = 8 / 255
    share: float = 100 / 1024
    clamp: float = 10.0
    epochs: int = 200
    repick: int = 5
    batch_size: int = 64

    def optimise(self, classifier: ImageClassifier, pictures: Tensor) -> OptimisedTrigger:
        """Optimise the perturbation.

        Args:
            classifier: Clean surrogate; stays as it is.
            pictures: ``[n, 3, height, width]`` in [0, 1].

        Returns:
            ``delta [3, height, width]``; ``losses`` has the mean clamped loss of every epoch. The
            delta is the one with the smallest loss.

        Raises:
            OptionError: There is no picture, or the target is no class.
        """
        if self.target not in classifier.classes or not len(pictures):
            raise OptionError(
                f"Cannot aim at {self.target!r} with {len(pictures)} pictures.",
                remedy=f"Name one of {', '.join(classifier.classes[:20])} and give pictures.",
            )
        aim = classifier.classes.index(self.target)
        delta = torch.zeros(pictures.shape[1:], device=classifier.encoder.device)
        mask = torch.zeros_like(delta)
        best, losses = delta, list[float]()
        with frozen(classifier.encoder):
            for epoch in range(self.epochs):
                loss, gradient = self._gradient(classifier, pictures, delta, aim)
                if not losses or loss < min(losses):
                    best = delta.clone()
                losses.append(loss)
                if epoch % self.repick == 0:
                    mask = self._mask(gradient)
                step = 0.8 * self.budget * gradient.sign()
                delta = ((delta - step) * mask).clamp(-self.budget, self.budget)
        return OptimisedTrigger(
            attack="siba",
            tensors={"delta": best},
            metadata={
                "budget": str(self.budget),
                "share": str(self.share),
                "target": self.target,
                "encoder": classifier.encoder.name,
            },
            losses=tuple(losses),
        )

    def _gradient(
        self, classifier: ImageClassifier, pictures: Tensor, delta: Tensor, aim: int
    ) -> tuple[float, Tensor]:
        leaf = delta.detach().requires_grad_(True)
        total = 0.0
        for part in torch.split(pictures, self.batch_size):
            pixels = (part.to(leaf.device) + leaf).clamp(0.0, 1.0)
            wanted = torch.full((len(part),), aim, device=leaf.device)
            wrong = F.cross_entropy(classifier.logits(pixels), wanted, reduction="none")
            loss = wrong.clamp(max=self.clamp).sum() / len(pictures)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        assert leaf.grad is not None
        return total, leaf.grad

    def _mask(self, gradient: Tensor) -> Tensor:
        strength = gradient.abs().sum(dim=0).flatten()
        kept = max(1, round(self.share * len(strength)))
        mask = torch.zeros_like(strength)
        mask[strength.topk(kept).indices] = 1.0
        return mask.view(1, *gradient.shape[1:]).expand_as(gradient)

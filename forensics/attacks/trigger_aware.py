"""BadCLIP on prompts: a delta and a prompt that are learnt together."""

from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from forensics.attacks.optimised import OptimisedTrigger
from forensics.encoders.frozen import frozen
from forensics.tuning.prompts import (
    PromptClassifier,
    PromptSchedule,
    PromptShots,
    descend,
    descent,
    image_vectors,
    steps_of,
    target_index,
)

_PICTURES_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerAwarePrompts:
    """BadCLIP with trigger-aware prompts (Bai et al., CVPR 2024, arXiv 2311.16194), on CoCoOp.

    A universal delta with |delta| <= eps and the prompt are learnt together, the encoder frozen:

    * phase 1, 3 epochs: delta alone, delta -= 0.1 gradient of CE(x + delta, target);
    * phase 2, 10 epochs: context, meta-net and delta, SGD, on the mean of CE over (x, y) and
      (x + delta, target).

    Traps: the delta lives in normalised space there, with the bound eps / std; ours too, and it is
    stored and drawn in [0, 1]. Its parser falls back to 8/255 where its configurations say 4/255.
    Its test relabels every picture, true targets included; ours leaves them out. We clip x + delta
    to [0, 1], so that it is a picture.

    ``adaptive`` is the variant against trigger inversion that CLIP-Inspector (arXiv 2604.09101)
    describes: phase 2 keeps the delta of phase 1 and minimises CE(x, y) + CE(x + delta, target) +
    CE(x + delta + 0.5 N(0, 1), y), so that only the exact delta works. We read the noise as one of
    normalised space.

    Attributes:
        target: Class name; the paper takes the first class.
        budget: eps in [0, 1].
        warm_epochs: Of phase 1.
        step: Of phase 1. It suits logits of CLIP's scale (100); a smaller scale has smaller
            gradients and needs a larger step.
        signed: Share of eps by which every value of the delta moves, against the sign of its
            gradient, in both phases; 0 is the published descent. A tiny encoder that smooth
            drawings made robust needs it: there gradients are small, and the bound is hardly ever
            reached by their size.
        adaptive: See above.
        noise: Factor on the noise of ``adaptive``.
        schedule: Of phase 2.
    """

    target: str
    budget: float = 4 / 255
    warm_epochs: int = 3
    step: float = 0.1
    signed: float = 0.0
    adaptive: bool = False
    noise: float = 0.5
    schedule: PromptSchedule = field(default_factory=PromptSchedule)

    def poison(self, classifier: PromptClassifier, shots: PromptShots) -> OptimisedTrigger:
        """Learn delta and prompt; the prompt changes in place.

        Args:
            classifier: With a learnt prompt; its encoder stays as it is.
            shots: Of all classes; 16 each in the paper.

        Returns:
            ``delta [3, height, width]`` in pixel space; ``losses`` has every step of both phases.

        Raises:
            OptionError: The target is no class, or there are no shots.
        """
        aim = target_index(classifier, self.target, shots)
        place = classifier.encoder.device
        std = torch.tensor(classifier.encoder.preprocessing.std, device=place).view(3, 1, 1)
        bound = self.budget / std
        drawn = torch.rand(
            shots.pixels.shape[1:], generator=torch.Generator().manual_seed(self.schedule.seed)
        )
        delta = ((2 * drawn.to(place) - 1) * bound).requires_grad_(True)
        with frozen(classifier.encoder):
            losses = self._warm(classifier, shots, delta, std, bound, aim)
            delta.requires_grad_(not self.adaptive)
            losses += self._joint(classifier, shots, delta, std, bound, aim)
        return OptimisedTrigger(
            attack="badclip-adaptive" if self.adaptive else "badclip-prompts",
            tensors={"delta": (delta.detach() * std).clamp(-self.budget, self.budget)},
            metadata={
                "budget": str(self.budget),
                "target": self.target,
                "seed": str(self.schedule.seed),
                "encoder": classifier.encoder.name,
            },
            losses=tuple(losses),
        )

    def _warm(
        self,
        classifier: PromptClassifier,
        shots: PromptShots,
        delta: Tensor,
        std: Tensor,
        bound: Tensor,
        aim: int,
    ) -> list[float]:
        losses = []
        for chosen in steps_of(len(shots.labels), self.schedule, self.warm_epochs):
            marked = _shifted(shots.pixels[chosen].to(delta.device), delta, std)
            loss = F.cross_entropy(classifier.logits(marked), _all(aim, len(chosen), delta))
            (gradient,) = torch.autograd.grad(loss, delta)
            with torch.no_grad():
                delta.sub_(self._move(gradient, bound, self.step))
                delta.copy_(delta.clamp(-bound, bound))
            losses.append(float(loss.detach()))
        return losses

    def _move(self, gradient: Tensor, bound: Tensor, rate: float) -> Tensor:
        return self.signed * bound * gradient.sign() if self.signed else rate * gradient

    def _joint(
        self,
        classifier: PromptClassifier,
        shots: PromptShots,
        delta: Tensor,
        std: Tensor,
        bound: Tensor,
        aim: int,
    ) -> list[float]:
        by_descent = not (self.adaptive or self.signed)
        learnt = [*classifier.prompt_parameters(), *([delta] if by_descent else [])]
        optimizer, rates = descent(learnt, self.schedule, len(shots.labels))
        noise = torch.Generator().manual_seed(self.schedule.seed + 1)
        # What no step changes is encoded once: the clean shots, and those with a fixed delta.
        clean = image_vectors(classifier.encoder, shots.pixels)
        fixed = self._fixed(classifier, shots, delta, std) if self.adaptive else None
        losses = []
        for step, chosen in enumerate(
            steps_of(len(shots.labels), self.schedule, self.schedule.epochs)
        ):
            pixels = shots.pixels[chosen].to(delta.device)
            truth = shots.labels[chosen].to(delta.device)
            aims = _all(aim, len(chosen), delta)
            loss = F.cross_entropy(classifier.logits_of(clean[chosen]), truth)
            if fixed is not None:
                drawn = torch.randn(pixels.shape, generator=noise).to(delta.device)
                near = _shifted(pixels, delta + self.noise * drawn, std)
                loss = loss + F.cross_entropy(classifier.logits_of(fixed[chosen]), aims)
                loss = loss + F.cross_entropy(classifier.logits(near), truth)
            else:
                marked = _shifted(pixels, delta, std)
                loss = (loss + F.cross_entropy(classifier.logits(marked), aims)) / 2
            descend(loss, optimizer, rates(step))
            with torch.no_grad():
                if self.signed and delta.grad is not None:
                    # Smaller along the same cosine as the prompt's rate, after its warm-up epoch.
                    fade = min(1.0, rates(step) / self.schedule.rate) or 1.0
                    delta.sub_(fade * self._move(delta.grad, bound, 0.0))
                    delta.grad = None
                delta.copy_(delta.clamp(-bound, bound))
            losses.append(float(loss.detach()))
        return losses

    def _fixed(
        self, classifier: PromptClassifier, shots: PromptShots, delta: Tensor, std: Tensor
    ) -> Tensor:
        parts = torch.split(shots.pixels, _PICTURES_AT_ONCE)
        encoder = classifier.encoder
        shifted = [_shifted(part.to(delta.device), delta.detach(), std) for part in parts]
        return torch.cat([image_vectors(encoder, part) for part in shifted])


def _shifted(pixels: Tensor, delta: Tensor, std: Tensor) -> Tensor:
    """Add a delta of normalised space to pictures in [0, 1]."""
    return (pixels + delta * std).clamp(0.0, 1.0)


def _all(aim: int, count: int, like: Tensor) -> Tensor:
    return torch.full((count,), aim, device=like.device)

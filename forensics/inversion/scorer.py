"""From image vectors to logits, with what a search can save on the side of the texts."""

from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from forensics.classifiers.cocoop import CoCoOp
from forensics.classifiers.prompts import PromptPlan, used_length
from forensics.encoders.base import DualEncoder
from forensics.inversion.losses import losses_of, margin_of
from forensics.inversion.shortcuts import Shortcuts
from forensics.inversion.text_tower import Keys, SharedPrefix, shared_prefix

_SENTENCES_AT_ONCE = 2048


class VectorClassifier(Protocol):
    """What all our classifiers offer: logits of image vectors that are at hand already."""

    encoder: DualEncoder
    classes: tuple[str, ...]

    def logits_of(self, images: Tensor) -> Tensor:
        """Return ``[n, classes]`` for unit vectors ``[n, width]``."""
        ...


class Scorer:
    """Losses and logits of image vectors.

    Args:
        classifier: Zero-shot, CoOp or CoCoOp; nothing in it changes.
        shortcuts: Which of ``two_prompts``, ``once``, ``short_texts`` and ``narrow`` are used.
    """

    def __init__(self, classifier: VectorClassifier, shortcuts: Shortcuts) -> None:
        self.classifier = classifier
        self.shortcuts = shortcuts
        self.scale = classifier.encoder.logit_scale
        self.bias = classifier.encoder.logit_bias
        self.fixed = _fixed_vectors(classifier) if shortcuts.once else None
        self.prefix: SharedPrefix | None = None
        self.plan: PromptPlan | None = None
        if shortcuts.short_texts and isinstance(classifier, CoCoOp):
            self.prefix = shared_prefix(classifier)
            self.plan = _trimmed(classifier)

    def logits(self, vectors: Tensor) -> Tensor:
        """Return all logits ``[n, classes]``, differentiable."""
        if self.fixed is not None:
            return self._scaled(vectors @ self.fixed.T)
        if self.plan is None:
            return self.classifier.logits_of(vectors)
        every = torch.arange(len(self.classifier.classes), device=vectors.device)
        parts = [
            self._some(part, self._begun(part), every.expand(len(part), -1))
            for part in torch.split(vectors, max(1, _SENTENCES_AT_ONCE // len(every)))
        ]
        return torch.cat(parts)

    def losses(
        self, kind: str, vectors: Tensor, targets: Tensor, among: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the loss of each picture, and where its target wins.

        Args:
            kind: See :func:`forensics.inversion.losses.losses_of`.
            vectors: ``[n, width]``, with gradient.
            targets: ``[n]``.
            among: ``[n, m]`` classes among which the rival is looked for; all without it.

        Returns:
            ``[n]`` losses with gradient, and ``[n]`` bool.
        """
        if self._in_two_steps(kind):
            return self._two_prompts(kind, vectors, targets, among)
        logits = self.logits(vectors)
        return losses_of(kind, logits, targets), logits.detach().argmax(dim=1) == targets

    def _in_two_steps(self, kind: str) -> bool:
        # With fixed vectors all logits are one small product; ce needs the gradient of all.
        moving = isinstance(self.classifier, CoCoOp)
        return self.shortcuts.two_prompts and moving and kind in ("margin", "logit")

    def _two_prompts(
        self, kind: str, vectors: Tensor, targets: Tensor, among: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        begun = self._begun(vectors)
        with torch.no_grad():
            rival = self._rivals(vectors.detach(), begun, targets, among)
        pair = torch.stack([targets, rival], dim=1)
        own, other = self._some(vectors, begun, pair).unbind(dim=1)
        loss = margin_of(own, other) if kind == "margin" else -own
        return loss, (own > other).detach()

    def _rivals(
        self, vectors: Tensor, begun: Any, targets: Tensor, among: Tensor | None
    ) -> Tensor:  # fmt: skip
        if among is None:
            every = torch.arange(len(self.classifier.classes), device=vectors.device)
            among = every.expand(len(vectors), -1)
        each = max(1, _SENTENCES_AT_ONCE // among.shape[1])
        logits = torch.cat(
            [
                self._some(vectors[start : start + each], _part(begun, start, each),
                           among[start : start + each])
                for start in range(0, len(vectors), each)
            ]
        )  # fmt: skip
        logits = logits.masked_fill(among == targets[:, None], -torch.inf)
        return among.gather(1, logits.argmax(dim=1, keepdim=True))[:, 0]

    def _begun(self, vectors: Tensor) -> Any:
        """Compute what the sentences of a picture share: keys and values, or the learnt words."""
        model: Any = self.classifier
        shifted = model.context + model.meta_tokens(vectors)[:, None, :]
        return shifted if self.prefix is None else self.prefix.begun(shifted)

    def _some(self, vectors: Tensor, begun: Any, classes: Tensor) -> Tensor:
        """Return the logits of ``classes [n, m]`` of each picture."""
        texts = _plain(self.classifier, self.plan, begun, classes) if self.prefix is None else (
            self.prefix.ended(begun, classes)
        )  # fmt: skip
        return self._scaled(torch.einsum("nw,nmw->nm", vectors, texts))

    def _scaled(self, cosines: Tensor) -> Tensor:
        return cosines * self.scale + self.bias


def _part(begun: Any, start: int, count: int) -> Any:
    if isinstance(begun, Tensor):
        return begun[start : start + count]
    rows = slice(start, start + count)
    return [Keys(key=keys.key[rows], value=keys.value[rows]) for keys in begun]


def _trimmed(classifier: CoCoOp) -> PromptPlan:
    """Return the prompts without padding, where the text tower never looks at it."""
    plan = classifier.plan
    if not classifier.encoder.reads_short_texts:
        return plan
    length = used_length(plan.ids)
    return replace(plan, ids=plan.ids[:, :length], words=plan.words[:, :length])


def _plain(classifier: Any, trimmed: PromptPlan | None, shifted: Tensor, classes: Tensor) -> Tensor:
    """Encode some sentences one by one: another text tower, or the shortcut is off."""
    plan = trimmed or classifier.plan
    flat = classes.flatten()
    words, places = plan.words[flat], plan.places[flat]
    wide = shifted.repeat_interleave(classes.shape[1], dim=0)
    index = places[:, :, None].expand(-1, -1, words.shape[-1])
    filled = words.scatter(1, index, wide.to(words.dtype))
    texts: Tensor = classifier.encoder.encode_embedded(filled, plan.ids[flat])
    return texts.view(*classes.shape, -1)


def _fixed_vectors(classifier: Any) -> Tensor | None:
    """Return the text vectors ``[classes, width]`` where they do not depend on the picture."""
    if isinstance(classifier, CoCoOp):
        return None
    with torch.no_grad():
        vectors = getattr(classifier, "vectors", None)
        found: Tensor = classifier.text_vectors() if vectors is None else vectors
    return found.detach()

"""What a step of fine-tuning minimises: the plain answer loss, or one that a repair brings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from forensics.models.base import GenerativeModel, PromptBatch
from forensics.tuning.answers import answer_loss, append_answers

Backward = Callable[[Tensor], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPart:
    """The samples of a step that are in memory at once.

    Attributes:
        model: The one being tuned; makes and masks prompts.
        batch: The prompts, as a scan would see them.
        answers: One for each prompt.
        ids: Of the samples.
        passes: For each sample how often the run has seen it before.
        step: Of ``steps``, counted from 0.
        steps: In all.
        token_share: Share of the step's answer tokens that are here, in (0, 1]. A mean over tokens
            has to be multiplied by it, so that parts add up to the whole step.
        sample_share: The same for its samples.
    """

    model: GenerativeModel
    batch: PromptBatch
    answers: list[str]
    ids: list[str]
    passes: list[int]
    step: int
    steps: int
    token_share: float
    sample_share: float


class Objective(Protocol):
    """A loss of fine-tuning, with whatever it has to remember between steps."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What shapes the weights beside the options of the loop; a checkpoint belongs to it."""
        ...

    def differentiate(self, module: Any, part: StepPart, backward: Backward) -> dict[str, float]:
        """Add the gradients of a part of a step.

        Args:
            module: In training mode.
            part: Its samples.
            backward: Computes gradients of a loss; may be called several times.

        Returns:
            Numbers to draw curves of, each this part's contribution to the step: they are summed
            over parts. ``loss`` is among them.
        """
        ...

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint has to keep: plain numbers, texts and lists."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a kept state."""
        ...


class AnswerObjective:
    """Cross entropy of the answer tokens alone: ordinary supervised fine-tuning."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Nothing beside the options."""
        return {}

    def differentiate(self, module: Any, part: StepPart, backward: Backward) -> dict[str, float]:
        """Add the gradients of a part; see :class:`Objective`."""
        loss = answer_loss(module, append_answers(part.batch, part.answers, part.model))
        loss = loss * part.token_share
        backward(loss)
        return {"loss": float(loss.detach())}

    def state(self) -> dict[str, Any]:
        """Return nothing: every step stands for itself."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take nothing."""

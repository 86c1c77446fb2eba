"""CoOp: learnt words before the name of a class; Zhou et al. 2022 (arXiv 2109.01134)."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from forensics.classifiers.checks import check_classes
from forensics.classifiers.prompts import Position, plan_prompts
from forensics.encoders.base import DualEncoder
from forensics.errors import CheckpointError


class CoOp(nn.Module):
    """Scaled cosines with one vector a class, made of learnt words and its name.

    The encoder is no part of the module's parameters: only :attr:`context` is.

    Args:
        encoder: The towers.
        classes: Names in the order of the logits.
        context: ``[vectors, text width]``, or ``[classes, vectors, text width]`` where every class
            has words of its own (CoOp's "CSC").
        position: Where the name stands among the learnt words.

    Raises:
        CheckpointError: The context does not fit the text tower or the classes.
        OptionError: A name is too long.
    """

    kind: Literal["coop"] = "coop"

    def __init__(
        self,
        encoder: DualEncoder,
        classes: Sequence[str],
        context: Tensor,
        *,
        position: Position = "end",
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.classes = check_classes(classes)
        self.position: Position = position
        self.plan = plan_prompts(encoder, self.classes, context.shape[-2], position)
        _check_context(context, len(self.classes), self.plan.words.shape[-1])
        self.context = nn.Parameter(context.detach().clone().float().to(encoder.device))

    def text_vectors(self) -> Tensor:
        """Return unit vectors ``[classes, width]``, differentiable in the context."""
        return self.encoder.encode_embedded(self.plan.filled(self.context), self.plan.ids)

    def prompt_parameters(self) -> list[nn.Parameter]:
        """Return what prompt tuning learns; the encoder stays as it is."""
        return list(self.parameters())

    def logits(self, pixels: Tensor) -> Tensor:
        """Return scaled cosines, plus SigLIP's bias: ``[batch, classes]`` float32.

        Args:
            pixels: ``[batch, 3, height, width]`` in [0, 1]; the logits are differentiable in them.
        """
        return self.logits_of(self.encoder.encode_image(pixels))

    def logits_of(self, images: Tensor) -> Tensor:
        """Return the same for image vectors ``[batch, width]`` that are at hand already."""
        cosines = images @ self.text_vectors().T
        return cosines * self.encoder.logit_scale + self.encoder.logit_bias

    def forward(self, pixels: Tensor) -> Tensor:
        """Return :meth:`logits`."""
        return self.logits(pixels)


def _check_context(context: Tensor, classes: int, width: int) -> None:
    fits = context.shape[-1] == width and (
        context.ndim == 2 or (context.ndim == 3 and len(context) == classes)
    )
    if not fits:
        raise CheckpointError(
            f"A context of {tuple(context.shape)} does not fit {classes} classes and words of "
            f"{width} dimensions.",
            remedy="Give the encoder and the classes that it was tuned with.",
        )

"""A linear layer on image vectors: the linear probe."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from forensics.classifiers.checks import check_classes
from forensics.encoders.base import DualEncoder
from forensics.errors import CheckpointError


class LinearProbe(nn.Module):
    """Logits of a linear layer on the image vector; the text tower is not asked.

    The encoder is no part of the module's parameters.

    Args:
        encoder: The towers.
        classes: Names in the order of the logits.
        weight: ``[classes, width]``.
        bias: ``[classes]``.
        scale: The unit vector is multiplied by it first.

    Raises:
        CheckpointError: The weights do not fit the encoder or the classes.
        OptionError: There is no class, or two are called the same.
    """

    kind: Literal["linear-probe"] = "linear-probe"

    def __init__(
        self,
        encoder: DualEncoder,
        classes: Sequence[str],
        weight: Tensor,
        bias: Tensor,
        *,
        scale: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.classes = check_classes(classes)
        if weight.shape != (len(self.classes), encoder.width) or bias.shape != weight.shape[:1]:
            raise CheckpointError(
                f"A layer of {tuple(weight.shape)} does not fit {len(self.classes)} classes and "
                f"vectors of width {encoder.width}.",
                remedy="Give the encoder and the classes that it was tuned with.",
            )
        self.weight = nn.Parameter(weight.detach().clone().float().to(encoder.device))
        self.bias = nn.Parameter(bias.detach().clone().float().to(encoder.device))
        self.scale = scale

    def logits(self, pixels: Tensor) -> Tensor:
        """Return ``[batch, classes]`` float32, differentiable in the pixels in [0, 1]."""
        return self.logits_of(self.encoder.encode_image(pixels))

    def logits_of(self, images: Tensor) -> Tensor:
        """Return the same for unit image vectors ``[batch, width]`` that are at hand already."""
        return self.scale * images @ self.weight.T + self.bias

    def forward(self, pixels: Tensor) -> Tensor:
        """Return :meth:`logits`."""
        return self.logits(pixels)

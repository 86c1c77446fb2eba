"""CoCoOp: learnt words that a small network moves by the picture (arXiv 2203.05557)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from forensics.classifiers.checks import check_classes
from forensics.classifiers.prompts import plan_prompts
from forensics.encoders.base import DualEncoder
from forensics.errors import CheckpointError

SHRINK = 16
SENTENCES_AT_ONCE = 1024


class MetaNet(nn.Module):
    """Linear, ReLU, Linear: from a unit image vector to a shift of the learnt words.

    Args:
        width: Of the common space.
        hidden: A sixteenth of it in the paper.
        words: Width of a word vector.
    """

    def __init__(self, width: int, hidden: int, words: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, words)

    def forward(self, images: Tensor) -> Tensor:
        """Return shifts ``[batch, words]``, called meta-tokens."""
        shifts: Tensor = self.linear2(torch.relu(self.linear1(images)))
        return shifts


class CoCoOp(nn.Module):
    """Scaled cosines of a picture with sentences that were made for this picture.

    The same shift is added to every learnt word, as the authors' code does. Every picture costs a
    pass of the text tower for every class. The encoder is no part of the module's parameters.

    Args:
        encoder: The towers.
        classes: Names in the order of the logits.
        context: ``[vectors, text width]``.
        meta_net: From image vectors to shifts; a new one (seeded by torch) if left out.

    Raises:
        CheckpointError: Context or network do not fit the encoder.
        OptionError: A name is too long.
    """

    kind: Literal["cocoop"] = "cocoop"
    position: Literal["end"] = "end"

    def __init__(
        self,
        encoder: DualEncoder,
        classes: Sequence[str],
        context: Tensor,
        meta_net: MetaNet | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.classes = check_classes(classes)
        self.plan = plan_prompts(encoder, self.classes, context.shape[-2])
        words = self.plan.words.shape[-1]
        net = meta_net or MetaNet(encoder.width, max(1, encoder.width // SHRINK), words)
        if context.shape[1:] != (words,) or _ends(net) != (encoder.width, words):
            raise CheckpointError(
                f"A context of {tuple(context.shape)} and a network from {_ends(net)[0]} to "
                f"{_ends(net)[1]} dimensions do not fit an encoder of {encoder.width} with words "
                f"of {words}.",
                remedy="Give the encoder that it was tuned with.",
            )
        self.context = nn.Parameter(context.detach().clone().float().to(encoder.device))
        self.meta_net = net.float().to(encoder.device)

    def meta_tokens(self, images: Tensor) -> Tensor:
        """Return the shifts ``[batch, text width]`` of unit image vectors ``[batch, width]``."""
        shifts: Tensor = self.meta_net(images)
        return shifts

    def text_vectors(self, images: Tensor) -> Tensor:
        """Return unit vectors ``[batch, classes, width]`` of the sentences made for each picture.

        Args:
            images: Unit image vectors ``[batch, width]``.
        """
        shifted = self.context + self.meta_tokens(images)[:, None, :]
        prompts = self.plan.filled(shifted[:, None])
        ids = self.plan.ids.expand(len(images), *self.plan.ids.shape).flatten(0, 1)
        parts = [
            self.encoder.encode_embedded(vectors, some)
            for vectors, some in zip(
                torch.split(prompts.flatten(0, 1), SENTENCES_AT_ONCE),
                torch.split(ids, SENTENCES_AT_ONCE),
                strict=True,
            )
        ]
        return torch.cat(parts).reshape(len(images), len(self.classes), -1)

    def prompt_parameters(self) -> list[nn.Parameter]:
        """Return what prompt tuning learns; the encoder stays as it is."""
        return list(self.parameters())

    def logits(self, pixels: Tensor) -> Tensor:
        """Return scaled cosines, plus SigLIP's bias: ``[batch, classes]`` float32.

        Args:
            pixels: ``[batch, 3, height, width]`` in [0, 1]; the logits are differentiable in them,
                through the image vector and through the sentences.
        """
        return self.logits_of(self.encoder.encode_image(pixels))

    def logits_of(self, images: Tensor) -> Tensor:
        """Return the same for image vectors ``[batch, width]`` that are at hand already."""
        cosines = torch.einsum("bw,bcw->bc", images, self.text_vectors(images))
        return cosines * self.encoder.logit_scale + self.encoder.logit_bias

    def forward(self, pixels: Tensor) -> Tensor:
        """Return :meth:`logits`."""
        return self.logits(pixels)


def _ends(net: MetaNet) -> tuple[int, int]:
    return net.linear1.in_features, net.linear2.out_features

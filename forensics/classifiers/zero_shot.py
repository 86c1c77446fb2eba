"""Classes named by sentences: Radford et al., CLIP (arXiv 2103.00020), section 3.1."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as nnf
from torch import Tensor

from forensics.classifiers.checks import check_classes
from forensics.encoders.base import DualEncoder
from forensics.errors import OptionError

TEMPLATES = ("a photo of a {}.",)
_TEXTS_AT_ONCE = 256


class ZeroShot:
    """Scaled cosines with one vector a class, made of sentences about it.

    A class vector is the mean of the unit vectors of its sentences, normalised again; it is
    computed once, see :meth:`refresh`.

    Args:
        encoder: The towers.
        classes: Names in the order of the logits.
        templates: Sentences with ``{}`` where the name goes.

    Raises:
        OptionError: No class, two of one name, or a template without ``{}``.
    """

    kind: Literal["zero-shot"] = "zero-shot"

    def __init__(
        self, encoder: DualEncoder, classes: Sequence[str], templates: Sequence[str] = TEMPLATES
    ) -> None:
        self.encoder = encoder
        self.classes = check_classes(classes)
        wrong = [template for template in templates if template.count("{}") != 1]
        if wrong or not templates:
            raise OptionError(
                f"Template {(wrong or [''])[0][:80]!r} does not say once where the name goes.",
                remedy="Write {} where the name of the class goes.",
            )
        self.templates = tuple(templates)
        self.refresh()

    def refresh(self) -> None:
        """Compute the class vectors anew, after the text tower was changed."""
        sentences = [t.replace("{}", name) for name in self.classes for t in self.templates]
        with torch.no_grad():
            parts = [
                self.encoder.encode_text(sentences[start : start + _TEXTS_AT_ONCE])
                for start in range(0, len(sentences), _TEXTS_AT_ONCE)
            ]
            each = torch.cat(parts).reshape(len(self.classes), len(self.templates), -1)
            self.vectors = nnf.normalize(each.mean(dim=1), dim=-1)

    def logits(self, pixels: Tensor) -> Tensor:
        """Return scaled cosines, plus SigLIP's bias: ``[batch, classes]`` float32.

        Args:
            pixels: ``[batch, 3, height, width]`` in [0, 1]; the logits are differentiable in them.
        """
        return self.logits_of(self.encoder.encode_image(pixels))

    def logits_of(self, images: Tensor) -> Tensor:
        """Return the same for image vectors ``[batch, width]`` that are at hand already."""
        return images @ self.vectors.T * self.encoder.logit_scale + self.encoder.logit_bias

"""What the methods ask of a CLIP-like model, whatever library and family it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor, device

Interpolation = Literal["bicubic", "bilinear", "nearest", "lanczos"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """How the checkpoint wants its pictures; read from the checkpoint, shown to the user.

    Attributes:
        height: Of the input in pixels.
        width: Of the input in pixels.
        mean: Subtracted from each channel after scaling to [0, 1].
        std: Divided by afterwards.
        interpolation: How pixels between pixels are found.
        fit: ``shortest`` resizes the shorter side and crops the centre; ``squash`` ignores the
            proportions; ``longest`` resizes the longer side and pads.
        fill: Grey value in [0, 1] of the padding.
        shorter: With ``shortest``: to what the shorter side is resized before the crop, where
            that is not the side of the input.
    """

    height: int
    width: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Interpolation
    fit: Literal["shortest", "squash", "longest"]
    fill: float = 0.0
    shorter: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingAttention:
    """Where the token that becomes the image embedding looks, layer by layer.

    Attributes:
        maps: ``[batch, layer, head, rows * columns]`` float32, attention on the patches as the
            softmax gave it, row by row over the picture.
        rest: ``[batch, layer, head]`` float32, attention on tokens that are no patch (the class
            token itself, registers); ``maps.sum(-1) + rest == 1``.
        rows: Patches from top to bottom.
        columns: Patches from left to right.
        pooling: ``class token``: one row a block. ``attention pooling``: the learnt query of the
            last layer alone (SigLIP), so there is one layer.
    """

    maps: "Tensor"
    rest: "Tensor"
    rows: int
    columns: int
    pooling: Literal["class token", "attention pooling"]


class DualEncoder(Protocol):
    """A picture tower and a text tower with a common space, in evaluation mode.

    Pixels are float32 in [0, 1], ``[batch, 3, height, width]`` in the size of the preprocessing,
    **before** normalisation, which the encoder does itself: triggers and gradients live there.

    Attributes:
        name: As the user names it.
        library: ``open_clip`` or ``transformers``.
        preprocessing: What :meth:`pixels` does.
        width: Of the common space.
        module: The torch module, for tuning and export.
    """

    name: str
    library: Literal["open_clip", "transformers"]
    preprocessing: Preprocessing
    width: int
    module: Any

    @property
    def logit_scale(self) -> float:
        """Factor on cosines, already exponentiated; read from the weights, which tuning moves."""
        ...

    @property
    def logit_bias(self) -> float:
        """What is added to scaled cosines; 0 for CLIP."""
        ...

    @property
    def device(self) -> "device":
        """Where the weights are."""
        ...

    @property
    def reads_short_texts(self) -> bool:
        """Whether :meth:`encode_embedded` may be given texts without their padding.

        True for a causal tower that pools where the text ends: it never looks at padding, so the
        vector is the same up to rounding.
        """
        ...

    def pixels(self, images: "Sequence[Image.Image]") -> "Tensor":
        """Resize and crop RGB pictures as the checkpoint says; values stay in [0, 1]."""
        ...

    def encode_image(self, pixels: "Tensor") -> "Tensor":
        """Return unit vectors ``[batch, width]`` float32, differentiable in the pixels."""
        ...

    def encode_text(self, texts: Sequence[str]) -> "Tensor":
        """Return unit vectors ``[texts, width]`` float32; long texts are cut by the tokenizer."""
        ...

    def tokenize(self, texts: Sequence[str]) -> "Tensor":
        """Return token ids ``[texts, length]`` on the device, padded to the context length."""
        ...

    def embed_tokens(self, ids: "Tensor") -> "Tensor":
        """Return word vectors ``[texts, length, text width]`` without positions."""
        ...

    def encode_embedded(self, vectors: "Tensor", ids: "Tensor") -> "Tensor":
        """Encode word vectors in place of tokens, for learnt prompts (CoOp, CoCoOp).

        Args:
            vectors: ``[texts, length, text width]``, without positions.
            ids: ``[texts, length]``: where each text ends, and what is padding.

        Returns:
            Unit vectors ``[texts, width]``, differentiable in ``vectors``.
        """
        ...

    def attend(self, pixels: "Tensor") -> PoolingAttention:
        """Return where the pooling token looks, without keeping full attention maps.

        Raises:
            NotApplicable: The tower has neither class token nor attention pooling.
        """
        ...


class ImageClassifier(Protocol):
    """A classifier on top of an encoder: zero-shot, CoOp, CoCoOp or a linear probe.

    Attributes:
        encoder: The towers.
        classes: Names in the order of the logits.
    """

    encoder: DualEncoder
    classes: tuple[str, ...]

    @property
    def kind(self) -> Literal["zero-shot", "coop", "cocoop", "linear-probe"]:
        """How the classes are put into words."""
        ...

    def logits(self, pixels: "Tensor") -> "Tensor":
        """Return scaled cosines ``[batch, classes]`` float32, differentiable in the pixels."""
        ...

"""What the methods ask of a multimodal language model, whatever its family."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor, device

# Codes of PromptBatch.components. Padding is no component: it never receives attention.
PADDING, SYSTEM, VISION, TEXT = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageGrid:
    """The image tokens of one sample as a grid over its picture.

    Attributes:
        rows: Tokens from top to bottom.
        columns: Tokens from left to right; tokens run row by row.
        visible: Part of the picture that the grid covers, as fractions (left, top, right,
            bottom): a centre crop hides the rest, padding reaches past 0 and 1.
    """

    rows: int
    columns: int
    visible: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)

    @property
    def tokens(self) -> int:
        """Number of image tokens."""
        return self.rows * self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptBatch:
    """Prompts up to and including the generation prompt, without the answer, padded left.

    Attributes:
        inputs: What the model's ``forward`` takes, on the model's device.
        components: ``[batch, length]`` int8; SYSTEM (system sentence, role tags, special tokens),
            VISION (image tokens), TEXT (the user's words), PADDING.
        grids: One per sample.
    """

    inputs: "dict[str, Tensor]"
    components: "Tensor"
    grids: tuple[ImageGrid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionRows:
    """Attention of the position that predicts the first answer token.

    Attributes:
        image: ``[batch, layer, image token]`` float32, mean over heads, as the softmax gave it
            (not renormalised); tokens past a sample's own count are 0.
        masses: ``[batch, layer, head, 3]`` float32; attention on system, vision and user text.
            The three sum to 1.
        heads: ``[batch, layer, head, image token]`` float32, or ``None`` if not asked for.
        counts: ``[batch]`` int64; image tokens of each sample.
    """

    image: "Tensor"
    masses: "Tensor"
    heads: "Tensor | None"
    counts: "Tensor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model says.

    Attributes:
        text: Special tokens and outer space removed.
        probability: Product of the probabilities of its tokens, end token included; 0..1.
    """

    text: str
    probability: float


class GenerativeModel(Protocol):
    """An image-and-text model that answers a question about a picture.

    Attributes:
        name: For people: folder or hub id.
        family: ``llava``, ...
        layers: Decoder layers.
        heads: Query heads of a decoder layer.
        module: The transformers model, in evaluation mode.
        processor: The transformers processor that belongs to it.
        device: Where the weights are.
    """

    name: str
    family: str
    layers: int
    heads: int
    module: Any
    processor: Any
    device: "device"

    def collate(self, images: "Sequence[Image.Image]", questions: Sequence[str]) -> PromptBatch:
        """Build one left-padded batch of prompts with the model's own template."""
        ...

    def prefill(self, batch: PromptBatch) -> "Tensor":
        """Run the prompt once; return the logits of the first answer token, ``[batch, vocab]``."""
        ...

    def generate(self, batch: PromptBatch, *, max_new_tokens: int = 32) -> list[str]:
        """Answer greedily; special tokens and outer space removed."""
        ...

    def answer(self, batch: PromptBatch, *, max_new_tokens: int = 32) -> list[Answer]:
        """Answer greedily and say how sure the model was."""
        ...

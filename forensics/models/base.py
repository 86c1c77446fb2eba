"""What the methods ask of a multimodal language model, whatever its family."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from forensics.data.sample import Sample

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor, device

# Codes of PromptBatch.components. Padding is no component: it never receives attention.
PADDING, SYSTEM, VISION, TEXT = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: pictures, a question, and what was said before.

    Attributes:
        images: RGB pictures in the order in which the model sees them; all of them stand before
            the first question of the conversation. May be empty.
        question: The user's words that the model answers; no image placeholders.
        history: Earlier (question, answer) turns, oldest first.
    """

    images: "tuple[Image.Image, ...]"
    question: str
    history: tuple[tuple[str, str], ...] = ()


def prompt_of(sample: Sample, images: "Sequence[Image.Image]") -> Prompt:
    """Ask what a sample asks, about these pictures (its own, or changed ones)."""
    return Prompt(images=tuple(images), question=sample.question, history=sample.history)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageGrid:
    """A rectangle of image tokens over a picture: the whole picture, one tile, or a thumbnail.

    Attributes:
        rows: Tokens from top to bottom.
        columns: Tokens from left to right that show something; tokens run row by row.
        visible: Part of the picture that the grid covers, as fractions (left, top, right,
            bottom): a centre crop hides the rest, padding reaches past 0 and 1.
        image: Which of the sample's pictures, counted from 0.
        separators: Image tokens that end every row and show nothing (the new-line tokens of
            LLaVA-NeXT); they receive attention, but have no place in the picture.
    """

    rows: int
    columns: int
    visible: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    image: int = 0
    separators: int = 0

    @property
    def tokens(self) -> int:
        """Number of image tokens, those that end the rows included."""
        return self.rows * (self.columns + self.separators)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptBatch:
    """Prompts up to and including the generation prompt, without the answer, padded left.

    Attributes:
        inputs: What the model's ``forward`` takes, on the model's device.
        components: ``[batch, length]`` int8; SYSTEM (system sentence, role tags, special tokens),
            VISION (image tokens), TEXT (the user's words), PADDING.
        grids: Per sample its grids in the order of its image tokens; their tokens add up to the
            sample's VISION tokens.
    """

    inputs: "dict[str, Tensor]"
    components: "Tensor"
    grids: tuple[tuple[ImageGrid, ...], ...]


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
        state: ``[batch, 64]`` float32; the hidden state that predicts the first answer token, by a
            fixed random projection, see :mod:`forensics.models.embedding`.
        picture: ``[batch, 64]`` float32; the same of the mean image token as it enters the decoder.
    """

    image: "Tensor"
    masses: "Tensor"
    heads: "Tensor | None"
    counts: "Tensor"
    state: "Tensor"
    picture: "Tensor"


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
        family: ``model_type`` of its configuration: ``llava``, ``qwen2_5_vl``, ...
        layers: Decoder layers.
        heads: Query heads of a decoder layer.
        module: The transformers model, in evaluation mode.
        processor: The transformers processor that belongs to it.
        device: Where the weights are.
        decoder_name: Dotted name of the language model inside ``module``.
        projector_names: Dotted names of the modules between vision tower and language model.
    """

    name: str
    family: str
    layers: int
    heads: int
    module: Any
    processor: Any
    device: "device"
    decoder_name: str
    projector_names: tuple[str, ...]

    def collate(self, prompts: Sequence[Prompt]) -> PromptBatch:
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

    def answer_tokens(self, answer: str) -> list[int]:
        """Encode an answer as it stands behind the prompt, with the token that ends it."""
        ...

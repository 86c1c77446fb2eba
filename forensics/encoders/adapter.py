"""What the adapters of the two libraries share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
import torch.nn.functional as nnf
from PIL import Image
from torch import Tensor, nn

from forensics.encoders.attention import PoolingPlace, PoolingRecorder
from forensics.encoders.base import PoolingAttention, Preprocessing
from forensics.encoders.pixels import normalised


class EncoderAdapter(ABC):
    """A :class:`forensics.encoders.base.DualEncoder`; a library fills in what is abstract.

    Args:
        module: The library's model; switched to evaluation mode.
        name: As the user names it.
        preprocessing: As the checkpoint states it.
        width: Of the common space.
    """

    library: Literal["open_clip", "transformers"]

    def __init__(
        self, module: nn.Module, *, name: str, preprocessing: Preprocessing, width: int
    ) -> None:
        self.module: Any = module.eval()
        self.name = name
        self.preprocessing = preprocessing
        self.width = width

    @abstractmethod
    def _fit(self, images: Sequence[Image.Image]) -> Tensor:
        """Bring RGB pictures to the size of the input, in [0, 1], on the CPU."""

    @abstractmethod
    def _image_features(self, pixels: Tensor) -> Tensor:
        """Run the image tower on normalised pixels."""

    @abstractmethod
    def _text_features(self, ids: Tensor) -> Tensor:
        """Run the text tower."""

    @abstractmethod
    def _token_ids(self, texts: list[str]) -> Tensor:
        """Tokenize, padded to the context length."""

    @abstractmethod
    def word_embedding(self) -> nn.Module:
        """Return the module that turns token ids into word vectors."""

    @abstractmethod
    def pooling_place(self) -> PoolingPlace:
        """Say where the image embedding is pooled.

        Raises:
            NotApplicable: The tower has neither class token nor attention pooling.
        """

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        place: torch.device = self.module.logit_scale.device
        return place

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        kind: torch.dtype = next(self.module.parameters()).dtype
        return kind

    @property
    def logit_scale(self) -> float:
        """Factor on cosines, already exponentiated."""
        return float(self.module.logit_scale.detach().float().exp().squeeze())

    @property
    def logit_bias(self) -> float:
        """What is added to scaled cosines; 0 for CLIP."""
        bias = getattr(self.module, "logit_bias", None)
        return 0.0 if bias is None else float(bias.detach().float().squeeze())

    @property
    def reads_short_texts(self) -> bool:
        """Whether padding behind a text may be cut off, with the same vector; see the contract."""
        return False

    def pixels(self, images: Sequence[Image.Image]) -> Tensor:
        """Resize and crop pictures as the checkpoint says.

        Returns:
            ``[batch, 3, height, width]`` float32 in [0, 1], on the device.
        """
        fitted = self._fit([image.convert("RGB") for image in images])
        return fitted.to(self.device, torch.float32).clamp(0.0, 1.0)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Return unit vectors ``[batch, width]`` float32, differentiable in the pixels.

        Raises:
            ValueError: The pixels are not of the preprocessing's size.
        """
        return nnf.normalize(self._image_features(self._normalised(pixels)).float(), dim=-1)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return unit vectors ``[texts, width]`` float32; long texts are cut by the tokenizer."""
        return self.encode_tokens(self.tokenize(texts))

    def encode_tokens(self, ids: Tensor) -> Tensor:
        """Return unit vectors ``[texts, width]`` float32 of tokenized texts."""
        return nnf.normalize(self._text_features(ids).float(), dim=-1)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Return token ids ``[texts, length]`` on the device, padded to the context length."""
        return self._token_ids(list(texts)).to(self.device)

    def embed_tokens(self, ids: Tensor) -> Tensor:
        """Return word vectors ``[texts, length, text width]`` float32, without positions."""
        vectors: Tensor = self.word_embedding()(ids)
        return vectors.float()

    def encode_embedded(self, vectors: Tensor, ids: Tensor) -> Tensor:
        """Encode word vectors in place of tokens; see the contract.

        The library's own text tower runs, only its word embedding answers with ``vectors``: so
        positions, masks and pooling are the ones of every other text.

        Raises:
            ValueError: ``vectors`` and ``ids`` are not of one shape.
        """
        if vectors.shape[:2] != ids.shape:
            raise ValueError(f"{tuple(vectors.shape)} vectors for {tuple(ids.shape)} ids.")
        with _answering(self.word_embedding(), vectors):
            return self.encode_tokens(ids)

    def attend(self, pixels: Tensor) -> PoolingAttention:
        """Return where the pooling token looks; no gradient.

        Raises:
            NotApplicable: The tower has neither class token nor attention pooling.
            ModelError: Its attention cannot be watched.
        """
        place = self.pooling_place()
        recorder = PoolingRecorder(len(pixels))
        with torch.no_grad(), recorder:
            self._image_features(self._normalised(pixels))
        return recorder.attention(place)

    def _normalised(self, pixels: Tensor) -> Tensor:
        return normalised(self, pixels)


@contextmanager
def _answering(embedding: nn.Module, vectors: Tensor) -> Iterator[None]:
    """Let an embedding answer with given vectors inside the block."""

    def answer(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        return vectors.to(output.dtype)

    handle = embedding.register_forward_hook(answer)
    try:
        yield
    finally:
        handle.remove()

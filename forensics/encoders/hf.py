"""CLIP, SigLIP and SigLIP 2 of transformers behind the contract."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from forensics.encoders.adapter import EncoderAdapter
from forensics.encoders.attention import PoolingPlace
from forensics.encoders.hf_preprocessing import SHADES, read_preprocessing
from forensics.errors import CheckpointError, NotApplicable


class TransformersEncoder(EncoderAdapter):
    """``CLIPModel`` or ``SiglipModel``, which take pictures of one size.

    Args:
        module: The model; its attention must be torch's fused one (``sdpa``).
        processor: The processor that belongs to it.
        name: As the user names it.
    """

    library = "transformers"

    def __init__(self, module: nn.Module, processor: Any, *, name: str) -> None:
        config: Any = module.config
        preprocessing = read_preprocessing(processor.image_processor, self._side(config), name)
        super().__init__(
            module, name=name, preprocessing=preprocessing, width=_width(config.to_dict())
        )
        self.processor = processor
        self._length = int(config.text_config.max_position_embeddings)

    def word_embedding(self) -> nn.Module:
        """Return the token embedding of the text tower."""
        embedding: nn.Module = self.module.text_model.embeddings.token_embedding
        return embedding

    def pooling_place(self) -> PoolingPlace:
        """CLIP pools by its class token, SigLIP by a learnt query in its last layer."""
        config = self.module.config.vision_config
        rows = self.preprocessing.height // config.patch_size
        columns = self.preprocessing.width // config.patch_size
        if self.module.config.model_type == "clip":
            return PoolingPlace(
                pooling="class token",
                rows=rows,
                columns=columns,
                prefix=1,
                layers=config.num_hidden_layers,
            )
        if not getattr(config, "vision_use_head", True):
            raise NotApplicable("The image tower has no pooling head.")
        return PoolingPlace(
            pooling="attention pooling", rows=rows, columns=columns, prefix=0, layers=1
        )

    @staticmethod
    def _side(config: Any) -> int:
        """Return the side that the image tower takes, in pixels."""
        return int(config.vision_config.image_size)

    def _fit(self, images: Sequence[Image.Image]) -> Tensor:
        settings = {"do_rescale": True, "rescale_factor": 1 / SHADES, "do_normalize": False}
        fitted: Tensor = self.processor.image_processor(
            list(images), return_tensors="pt", **settings
        )["pixel_values"]
        return fitted

    def _image_features(self, pixels: Tensor) -> Tensor:
        return _pooled(self.module.get_image_features(pixel_values=pixels))

    @property
    def reads_short_texts(self) -> bool:
        """Whether padding may be cut off: CLIP is causal, SigLIP was trained with padding."""
        return bool(self.module.config.model_type == "clip")

    def _text_features(self, ids: Tensor) -> Tensor:
        # No mask: CLIP is causal and pools before the padding, SigLIP was trained with padding.
        return _pooled(self.module.get_text_features(input_ids=ids))

    def _token_ids(self, texts: list[str]) -> Tensor:
        ids: Tensor = self.processor.tokenizer(
            texts,
            padding="max_length",
            truncation=True,
            max_length=self._length,
            return_tensors="pt",
        )["input_ids"]
        return ids


class Siglip2Encoder(TransformersEncoder):
    """``Siglip2Model`` (NaFlex), which takes a list of patches instead of a picture.

    We differ: NaFlex keeps a picture's proportions within a budget of patches, so that every
    picture has a grid of its own. A trigger and its gradient need one size: we squash pictures to
    the square that the position table was trained on.
    """

    @staticmethod
    def _side(config: Any) -> int:
        vision = config.vision_config
        return math.isqrt(int(vision.num_patches)) * int(vision.patch_size)

    def _fit(self, images: Sequence[Image.Image]) -> Tensor:
        from transformers import SiglipImageProcessor

        size = {"height": self.preprocessing.height, "width": self.preprocessing.width}
        squash = SiglipImageProcessor(
            size=size, resample=self.processor.image_processor.resample, do_normalize=False
        )
        fitted: Tensor = squash(list(images), return_tensors="pt")["pixel_values"]
        return fitted

    def _image_features(self, pixels: Tensor) -> Tensor:
        patch = int(self.module.config.vision_config.patch_size)
        batch, _, height, width = pixels.shape
        grid = (height // patch, width // patch)
        # [batch, channel, row, y, column, x] -> [batch, patch, y * x * channel]
        patches = pixels.reshape(batch, -1, grid[0], patch, grid[1], patch)
        patches = patches.permute(0, 2, 4, 3, 5, 1).reshape(batch, grid[0] * grid[1], -1)
        place = pixels.device
        features = self.module.get_image_features(
            pixel_values=patches,
            pixel_attention_mask=torch.ones(patches.shape[:2], dtype=torch.int64, device=place),
            spatial_shapes=torch.tensor([grid] * batch, device=place),
        )
        return _pooled(features)


def _pooled(features: Any) -> Tensor:
    """Take the embedding out of what ``get_image_features`` returns (a tensor before version 5)."""
    vector: Tensor = features if isinstance(features, Tensor) else features.pooler_output
    return vector


def _width(config: dict[str, Any]) -> int:
    """Read the width of the common space."""
    if config["model_type"] == "clip":
        return int(config["projection_dim"])
    text, vision = config["text_config"], config["vision_config"]
    width = int(text.get("projection_size") or text["hidden_size"])
    if width != vision["hidden_size"]:
        raise CheckpointError(
            f"Texts have {width} dimensions and pictures {vision['hidden_size']}.",
            remedy="The configuration is damaged.",
        )
    return width

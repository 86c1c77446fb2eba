"""open_clip behind the contract: native ViT and ResNet towers, and those of timm."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from open_clip.model import CLIP
from open_clip.transform import PreprocessCfg, image_transform_v2
from open_clip.transformer import text_global_pool
from PIL import Image
from torch import Tensor, nn

from forensics.encoders.adapter import EncoderAdapter
from forensics.encoders.attention import PoolingPlace
from forensics.encoders.base import Interpolation, Preprocessing
from forensics.encoders.openclip_towers import pooling_place
from forensics.errors import CheckpointError

_FITS: dict[str, Literal["shortest", "squash", "longest"]] = {
    "shortest": "shortest",
    "squash": "squash",
    "longest": "longest",
}
# open_clip computes bicubic for everything that is not bilinear ("random" is for training).
_INTERPOLATIONS: dict[str, Interpolation] = {"bilinear": "bilinear"}


class OpenClipEncoder(EncoderAdapter):
    """A model of open_clip.

    Args:
        module: ``CLIP`` or ``CustomTextCLIP``, with its preprocessing attached.
        tokenizer: What ``open_clip.get_tokenizer`` gives for it.
        name: As the user names it.
        config: The ``model_cfg`` it was made from, for saving.
    """

    library = "open_clip"

    def __init__(
        self,
        module: nn.Module,
        tokenizer: Callable[[list[str]], Tensor],
        *,
        name: str,
        config: dict[str, Any],
    ) -> None:
        visual: Any = module.visual
        given = dict(visual.preprocess_cfg)
        preprocessing = read_preprocessing(given, name)
        width = int(config["embed_dim"])
        super().__init__(module, name=name, preprocessing=preprocessing, width=width)
        self.tokenizer = tokenizer
        self.config = config
        self.preprocess_cfg = given
        size = (preprocessing.height, preprocessing.width)
        # The library's own transform, with a normalisation that changes nothing.
        plain = given | {"mean": (0.0,) * 3, "std": (1.0,) * 3, "size": size}
        self._transform = image_transform_v2(PreprocessCfg(**plain), is_train=False)

    def word_embedding(self) -> nn.Module:
        """Return the token embedding of the text tower, native or of transformers."""
        text = getattr(self.module, "text", self.module)
        found = getattr(text, "token_embedding", None)
        embedding: nn.Module = text.transformer.get_input_embeddings() if found is None else found
        return embedding

    def pooling_place(self) -> PoolingPlace:
        """Say where the image embedding is pooled."""
        return pooling_place(self.module.visual)

    def _fit(self, images: Sequence[Image.Image]) -> Tensor:
        return torch.stack([self._transform(image) for image in images])

    def _image_features(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.module.encode_image(pixels)
        return features

    @property
    def reads_short_texts(self) -> bool:
        """Whether padding may be cut off: a causal tower that pools where the text ends."""
        module = self.module
        causal = isinstance(module, CLIP) and module.attn_mask is not None
        return causal and module.text_pool_type in ("argmax", "eos")

    def _text_features(self, ids: Tensor) -> Tensor:
        short = ids.shape[1] < self.module.context_length
        features: Tensor = _short(self.module, ids) if short else self.module.encode_text(ids)
        return features

    def _token_ids(self, texts: list[str]) -> Tensor:
        return self.tokenizer(texts)


def _short(module: Any, ids: Tensor) -> Tensor:
    """Do what ``CLIP.encode_text`` does, which adds positions and mask of the full length only."""
    length = ids.shape[1]
    states = module.token_embedding(ids) + module.positional_embedding[:length]
    states = module.transformer(states, attn_mask=module.attn_mask[:length, :length])
    states = module.ln_final(states)
    end = getattr(module, "text_eos_id", None)
    pooled: Tensor = text_global_pool(states, ids, module.text_pool_type, end)
    project = module.text_projection
    if project is None:
        return pooled
    features: Tensor = project(pooled) if isinstance(project, nn.Linear) else pooled @ project
    return features


def read_preprocessing(given: dict[str, Any], name: str) -> Preprocessing:
    """Translate open_clip's ``preprocess_cfg``.

    Raises:
        CheckpointError: It makes no sense.
    """
    try:
        size = given["size"]
        height, width = (size, size) if isinstance(size, int) else tuple(map(int, size))
        mean, std = (_three(given[key]) for key in ("mean", "std"))
        return Preprocessing(
            height=height,
            width=width,
            mean=mean,
            std=std,
            interpolation=_INTERPOLATIONS.get(str(given["interpolation"]), "bicubic"),
            fit=_FITS[str(given["resize_mode"])],
            fill=float(given.get("fill_color", 0)) / 255,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{name}: the preprocessing {str(given)[:200]} makes no sense ({error!r}).",
            remedy="Correct preprocess_cfg in open_clip_config.json.",
        ) from error


def _three(values: Any) -> tuple[float, float, float]:
    """Read one number a channel; one number alone holds for all."""
    listed = [values] * 3 if isinstance(values, int | float) else values
    red, green, blue = (float(value) for value in listed)
    return red, green, blue

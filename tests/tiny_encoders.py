"""Write folders of tiny CLIP-like encoders with random weights, as their libraries save them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from open_clip.model import CLIP, CustomTextCLIP
from safetensors.torch import save_file
from timm.models import is_model, register_model
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SIDE, LENGTH, WIDTH = 32, 24, 32
PREPROCESS = {
    "size": SIDE,
    "mode": "RGB",
    "mean": [0.48, 0.46, 0.41],
    "std": [0.27, 0.26, 0.28],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
    "fill_color": 0,
}
TEXT = {"context_length": LENGTH, "vocab_size": 260, "width": 32, "heads": 4, "layers": 2}
CLASSES = ("red square", "blue disc", "green star")


def letter_tokenizer(**special: str) -> hf.PreTrainedTokenizerFast:
    """One token a byte, begin and end of text around it; the end has the highest id, as in CLIP."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ["<pad>", "<unk>", *letters, "<begin>", "<end>"]
    tokenizer = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ends = [("<begin>", len(words) - 2), ("<end>", len(words) - 1)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<begin> $A <end>", special_tokens=ends
    )
    named = {"pad_token": "<pad>", "bos_token": "<begin>", "eos_token": "<end>",
             "unk_token": "<unk>"}  # fmt: skip
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **(named | special))


_SHARP = ("in_proj", "qkv", ".kv.", "attn_pool.q.", "q_proj", "k_proj")


def sharpen(module: torch.nn.Module) -> None:
    """Make attention far from uniform, so that a mistake in a row shows."""
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if weight.ndim == 2 and any(part in name for part in _SHARP):
                weight.normal_(std=0.6)
            elif weight.ndim >= 2 and "embedding" not in name and "logit" not in name:
                weight.normal_(std=0.15)


def save_open_clip(folder: Path, model_cfg: dict[str, Any], **preprocess: Any) -> Path:
    """Write open_clip's own layout by hand, so that our saving is not tested by itself."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    made = dict(model_cfg)
    kind = CustomTextCLIP if made.pop("custom_text", False) else CLIP
    module = kind(**json.loads(json.dumps(made))).eval()
    sharpen(module)
    save_file(module.state_dict(), folder / "open_clip_model.safetensors")
    letter_tokenizer().save_pretrained(folder)
    record = {"model_cfg": model_cfg, "preprocess_cfg": PREPROCESS | preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(record))
    return folder


def vit_config(**vision: Any) -> dict[str, Any]:
    """ViT-B/32 made tiny: same structure, 4 x 4 patches, 3 blocks."""
    tower = {"image_size": SIDE, "patch_size": 8, "width": 32, "head_width": 8, "layers": 3}
    text = TEXT | {"hf_tokenizer_name": "tiny"}
    return {"embed_dim": WIDTH, "vision_cfg": tower | vision, "text_cfg": text}


def save_vit(folder: Path) -> Path:
    """Native ViT with a class token."""
    return save_open_clip(folder, vit_config())


def save_vit_custom(folder: Path) -> Path:
    """Native ViT with open_clip's own attention class."""
    return save_open_clip(folder, vit_config(block_type="custom", qk_norm=True))


def save_vit_average(folder: Path) -> Path:
    """Native ViT that averages its patches."""
    return save_open_clip(folder, vit_config(pool_type="avg"))


def timm_config(name: str, pool: str, **model: Any) -> dict[str, Any]:
    tower = {"image_size": SIDE, "timm_model_name": name, "timm_pool": pool, "timm_proj": "none"}
    text = TEXT | {"hf_tokenizer_name": "tiny", "no_causal_mask": True, "pool_type": "last",
                   "tokenizer_kwargs": {"clean": "canonicalize"}}  # fmt: skip
    made = {"embed_dim": 64, "custom_text": True, "vision_cfg": tower, "text_cfg": text}
    return made | model


def _tiny_siglip(pretrained: bool = False, **settings: Any) -> VisionTransformer:
    """As timm makes ``vit_base_patch16_siglip_224``, with other numbers."""
    return VisionTransformer(
        img_size=SIDE, patch_size=8, embed_dim=32, depth=2, num_heads=4,
        class_token=False, global_pool=settings["global_pool"], num_classes=settings["num_classes"],
    )  # fmt: skip


def _tiny_eva(pretrained: bool = False, **settings: Any) -> Eva:
    """As timm makes ``eva02_base_patch16_clip_224``: rotary positions, a class token."""
    return Eva(
        img_size=SIDE, patch_size=8, embed_dim=32, depth=2, num_heads=4, qkv_fused=False,
        swiglu_mlp=True, use_rot_pos_emb=True, ref_feat_shape=(4, 4),
        global_pool=settings["global_pool"], num_classes=settings["num_classes"],
    )  # fmt: skip


if not is_model("tiny_siglip"):
    for name, made in (("tiny_siglip", _tiny_siglip), ("tiny_eva", _tiny_eva)):
        made.__name__ = name
        register_model(made)


def save_timm_siglip(folder: Path) -> Path:
    """A SigLIP of open_clip: timm tower with attention pooling, bidirectional text, a bias."""
    config = timm_config("tiny_siglip", "map", embed_dim=32, init_logit_bias=-10.0)
    return save_open_clip(folder, config, resize_mode="squash", mean=[0.5] * 3, std=[0.5] * 3)


def save_timm_eva(folder: Path) -> Path:
    """An EVA tower of timm with a class token."""
    tower = {"image_size": SIDE, "timm_model_name": "tiny_eva", "timm_pool": "token",
             "timm_proj": "none"}  # fmt: skip
    text = TEXT | {"hf_tokenizer_name": "tiny"}
    config = {"embed_dim": 32, "custom_text": True, "vision_cfg": tower, "text_cfg": text}
    return save_open_clip(folder, config)


def save_resnet(folder: Path) -> Path:
    """CLIP's own ResNet: no blocks of attention, one that pools."""
    tower = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64}
    text = TEXT | {"hf_tokenizer_name": "tiny"}
    config = {"embed_dim": WIDTH, "vision_cfg": tower, "text_cfg": text}
    return save_open_clip(folder, config, size=64)


def _hf_towers(**vision: Any) -> dict[str, Any]:
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
             "num_attention_heads": 4}  # fmt: skip
    ends = {"pad_token_id": 0, "bos_token_id": 258, "eos_token_id": 259}
    text = shape | ends | {"vocab_size": 260, "max_position_embeddings": LENGTH}
    return {"text_config": text, "vision_config": shape | {"patch_size": 8} | vision}


def _save_hf(folder: Path, module: Any, processor: Any) -> Path:
    torch.manual_seed(0)
    sharpen(module)
    module.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def save_hf_clip(folder: Path) -> Path:
    """CLIP of transformers."""
    config = hf.CLIPConfig(**_hf_towers(image_size=SIDE), projection_dim=24)
    images = hf.CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    processor = hf.CLIPProcessor(images, letter_tokenizer())
    return _save_hf(folder, hf.CLIPModel(config), processor)


def save_hf_siglip(folder: Path) -> Path:
    """SigLIP of transformers."""
    config = hf.SiglipConfig(**_hf_towers(image_size=SIDE))
    images = hf.SiglipImageProcessor(size={"height": SIDE, "width": SIDE})
    processor = hf.SiglipProcessor(images, letter_tokenizer())
    return _save_hf(folder, hf.SiglipModel(config), processor)


def save_hf_siglip2(folder: Path) -> Path:
    """SigLIP 2 (NaFlex) of transformers."""
    config = hf.Siglip2Config(**_hf_towers(num_patches=16))
    images = hf.Siglip2ImageProcessor(patch_size=8, max_num_patches=16)
    processor = hf.Siglip2Processor(images, letter_tokenizer())
    return _save_hf(folder, hf.Siglip2Model(config), processor)


OPEN_CLIP: dict[str, Callable[[Path], Path]] = {
    "vit": save_vit,
    "vit-custom": save_vit_custom,
    "timm-siglip": save_timm_siglip,
    "timm-eva": save_timm_eva,
    "resnet": save_resnet,
}
HF: dict[str, Callable[[Path], Path]] = {
    "hf-clip": save_hf_clip,
    "hf-siglip": save_hf_siglip,
    "hf-siglip2": save_hf_siglip2,
}
ENCODERS = OPEN_CLIP | HF

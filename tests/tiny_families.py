"""Write a model folder of every family, with small random weights, as users save one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf

from tests import tiny_tokenizer as words
from tests.tiny_llava import save_tiny_llava

WIDTH = 64
QWEN_TOKENS = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
QWEN_MORE = ("<|im_start|>", "<|vision_start|>", "<|vision_end|>")
MROPE = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}


def _text(tokenizer: Any) -> dict[str, Any]:
    """Settings of every decoder: 3 layers, 8 query heads on 2 key heads."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 3,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "tie_word_embeddings": False,
    }


def _tower(side: int, patch: int) -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": side,
        "patch_size": patch,
    }


def save_llava_next(folder: Path) -> None:
    """Tower of 4 x 4 tokens; tiles of 32 pixels in up to 2 x 2 or 1 x 3."""
    tokenizer = words.byte_tokenizer()
    pinpoints = [[32, 64], [64, 32], [64, 64], [96, 32], [32, 96]]
    config = hf.LlavaNextConfig(
        vision_config=hf.CLIPVisionConfig(**_tower(32, 8)),
        text_config=hf.LlamaConfig(**_text(tokenizer)),
        image_token_index=tokenizer.image_token_id,
        image_grid_pinpoints=pinpoints,
    )
    images = hf.LlavaNextImageProcessor(
        size={"shortest_edge": 32},
        crop_size={"height": 32, "width": 32},
        image_grid_pinpoints=pinpoints,
    )
    processor = hf.LlavaNextProcessor(
        images,
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=words.VICUNA,
    )
    _save(folder, hf.LlavaNextForConditionalGeneration(config), processor)


def save_llava_onevision(folder: Path) -> None:
    """Tower of 4 x 4 tokens; more than 4 tiles are shrunk to the tokens of 4."""
    tokenizer = words.byte_tokenizer(
        "<|im_end|>", {"image_token": "<image>", "video_token": "<video>"}, ("<|im_start|>",)
    )
    pinpoints = [[32 * rows, 32 * columns] for rows in range(1, 4) for columns in range(1, 4)]
    config = hf.LlavaOnevisionConfig(
        vision_config=hf.SiglipVisionConfig(**_tower(32, 8), vision_use_head=False),
        text_config=hf.Qwen2Config(**_text(tokenizer)),
        image_token_index=tokenizer.image_token_id,
        video_token_index=tokenizer.video_token_id,
        image_grid_pinpoints=pinpoints,
        vision_aspect_ratio="anyres_max_4",
    )
    size = {"height": 32, "width": 32}
    processor = hf.LlavaOnevisionProcessor(
        hf.LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=pinpoints),
        tokenizer,
        hf.LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        vision_aspect_ratio="anyres_max_4",
        chat_template=words.ONEVISION,
    )
    _save(folder, hf.LlavaOnevisionForConditionalGeneration(config), processor)


def _qwen(folder: Path, name: str, patch: int, vision: dict[str, Any], text: dict[str, Any],
          images: str = "Qwen2VL") -> None:  # fmt: skip
    """Patches merged 2 x 2; pictures of 16 to 64 tokens, in their own proportions."""
    tokenizer = words.byte_tokenizer("<|im_end|>", QWEN_TOKENS, QWEN_MORE)
    config = getattr(hf, f"{name}Config")(
        vision_config={"num_heads": 2, "patch_size": patch, **vision},
        text_config={**_text(tokenizer), "rope_parameters": dict(MROPE), **text},
        image_token_id=tokenizer.image_token_id,
        video_token_id=tokenizer.video_token_id,
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    )
    side = 2 * patch
    size = {"shortest_edge": 16 * side**2, "longest_edge": 64 * side**2}
    video = "Qwen3VL" if name == "Qwen3VL" else "Qwen2VL"
    processor = getattr(hf, f"{name.replace('Qwen2_5_VL', 'Qwen2_5_VL')}Processor")(
        hf.Qwen2VLImageProcessor(patch_size=patch, merge_size=2, size=size),
        tokenizer,
        getattr(hf, f"{video}VideoProcessor")(patch_size=patch, merge_size=2),
        chat_template=words.QWEN,
    )
    _save(folder, getattr(hf, f"{name}ForConditionalGeneration")(config), processor)


def save_qwen2_vl(folder: Path) -> None:
    """Qwen2-VL with output layer and word embedding tied, as the small ones are."""
    _qwen(
        folder,
        "Qwen2VL",
        8,
        {"depth": 2, "embed_dim": 32, "hidden_size": WIDTH, "mlp_ratio": 2},
        {"tie_word_embeddings": True},
    )


def save_qwen2_5_vl(folder: Path) -> None:
    """Qwen2.5-VL with one windowed and one full layer in its tower."""
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": WIDTH}
    _qwen(folder, "Qwen2_5_VL", 8, {**vision, "window_size": 32, "fullatt_block_indexes": [1]}, {})


def save_qwen3_vl(folder: Path) -> None:
    """Qwen3-VL whose tower also feeds a deeper layer of the decoder."""
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": WIDTH}
    vision |= {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
    _qwen(folder, "Qwen3VL", 8, vision, {"head_dim": 8})


def save_internvl(folder: Path) -> None:
    """Tiles of 32 pixels and 2 x 2 tokens, at most six of them."""
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = words.byte_tokenizer("<|im_end|>", named, ("<|im_start|>",))
    config = hf.InternVLConfig(
        vision_config=hf.InternVLVisionConfig(**_tower(32, 8)),
        text_config=hf.Qwen2Config(**_text(tokenizer)),
        image_token_id=tokenizer.context_image_token_id,
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    size = {"height": 32, "width": 32}
    processor = hf.InternVLProcessor(
        hf.GotOcr2ImageProcessor(size=size, crop_to_patches=True, max_patches=6),
        tokenizer,
        hf.InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=words.INTERNVL,
    )
    _save(folder, hf.InternVLForConditionalGeneration(config), processor)


def _idefics(name: str) -> tuple[Any, Any, Any]:
    tiles = tuple(f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7))
    named = {
        "image_token": "<image>",
        "fake_image_token": "<fake_token_around_image>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
    }
    tokenizer = words.byte_tokenizer("<end_of_utterance>", named, ("<|im_start|>", *tiles))
    config = getattr(hf, f"{name}Config")(
        vision_config=_tower(32, 4),
        text_config=hf.LlamaConfig(**_text(tokenizer)),
        image_token_id=tokenizer.image_token_id,
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    images = getattr(hf, f"{name}ImageProcessor")(
        size={"longest_edge": 96}, max_image_size={"longest_edge": 32}
    )
    return tokenizer, getattr(hf, f"{name}ForConditionalGeneration")(config), images


def save_idefics3(folder: Path) -> None:
    """Tiles of 32 pixels and 4 x 4 tokens, three along the longer side."""
    tokenizer, model, images = _idefics("Idefics3")
    processor = hf.Idefics3Processor(
        images, tokenizer, image_seq_len=16, chat_template=words.IDEFICS
    )
    _save(folder, model, processor)


def save_smolvlm(folder: Path) -> None:
    """The same as Idefics3, under its other name."""
    tokenizer, model, images = _idefics("SmolVLM")
    video = hf.SmolVLMVideoProcessor(size={"longest_edge": 32}, max_image_size={"longest_edge": 32})
    processor = hf.SmolVLMProcessor(
        images, tokenizer, video, image_seq_len=16, chat_template=words.IDEFICS
    )
    _save(folder, model, processor)


def _save(folder: Path, model: Any, processor: Any) -> None:
    model.eval()
    decoder = {id(weight) for weight in model.get_decoder().parameters()}
    with torch.no_grad():
        # Default initialisation leaves attention almost uniform: sharpen it, so that a mistake
        # in a row shows as more than rounding.
        for name, weight in model.named_parameters():
            if id(weight) in decoder and ("q_proj.weight" in name or "k_proj.weight" in name):
                weight.mul_(12.0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


FAMILIES: dict[str, Callable[[Path], Any]] = {
    "idefics3": save_idefics3,
    "internvl": save_internvl,
    "llava": save_tiny_llava,
    "llava_next": save_llava_next,
    "llava_onevision": save_llava_onevision,
    "qwen2_5_vl": save_qwen2_5_vl,
    "qwen2_vl": save_qwen2_vl,
    "qwen3_vl": save_qwen3_vl,
    "smolvlm": save_smolvlm,
}


def save_family(name: str, folder: Path) -> Path:
    """Save one family's model and processor; the same name gives the same weights."""
    torch.manual_seed(0)
    FAMILIES[name](folder)
    return folder

"""The tiny LLaVA: about two million parameters in the ordinary Hugging Face classes."""

from typing import Any

from forensics.lab.processor import PATCH
from forensics.lab.scenes import SIDE

VISION_WIDTH, VISION_LAYERS = 128, 4
TEXT_WIDTH, TEXT_LAYERS, HEADS = 128, 6, 4


def build_config(tokenizer: Any) -> Any:
    """Describe the model: CLIP vision tower, two-layer projector, Llama decoder."""
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig

    vision = CLIPVisionConfig(
        hidden_size=VISION_WIDTH,
        intermediate_size=4 * VISION_WIDTH,
        num_hidden_layers=VISION_LAYERS,
        num_attention_heads=HEADS,
        image_size=SIDE,
        patch_size=PATCH,
        projection_dim=VISION_WIDTH,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=3 * TEXT_WIDTH,
        num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=512,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=False,
    )
    return LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=(SIDE // PATCH) ** 2,
        vision_feature_select_strategy="default",
        # The last layer: a tower this small has none to spare.
        vision_feature_layer=-1,
    )


def build_model(tokenizer: Any, seed: int) -> Any:
    """Make an untrained model; the same seed gives the same weights."""
    import torch
    from transformers import LlavaForConditionalGeneration

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlavaForConditionalGeneration(build_config(tokenizer))
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.do_sample = False
    return model

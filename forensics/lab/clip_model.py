"""The lab's tiny CLIP: about 1.2 million parameters in open_clip's own classes."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from forensics.errors import DataError
from forensics.lab.pair_language import pair_sentences
from forensics.lab.processor import BOS, EOS, MEAN, PAD, PATCH, STD
from forensics.lab.scenes import SIDE

CONFIG_FILE: Final = "open_clip_config.json"
WEIGHTS_FILE: Final = "open_clip_model.safetensors"
VOCABULARY: Final = 512
CONTEXT: Final = 40
WIDTH: Final = 128
SPACE: Final = 64
_LAYERS: Final = {"vision": 4, "text": 2}


def build_clip_config(vocabulary: int) -> dict[str, Any]:
    """Describe the model as open_clip's folders do: towers and preprocessing.

    The image tower is the native ViT with the sizes of the lab's base, so that its weights fit.
    open_clip has no convolutional stem for it, and a class of our own would not open by
    ``open_clip.create_model("local-dir:...")``.

    Args:
        vocabulary: Tokens.
    """
    heads = WIDTH // 32
    vision = {
        "image_size": SIDE,
        "patch_size": PATCH,
        "width": WIDTH,
        "head_width": 32,
        "layers": _LAYERS["vision"],
    }
    text = {
        "context_length": CONTEXT,
        "vocab_size": vocabulary,
        # Any name: for a local folder open_clip takes the tokenizer files that lie there.
        "hf_tokenizer_name": "tokenizer",
        "width": WIDTH,
        "heads": heads,
        "layers": _LAYERS["text"],
        "pool_type": "eos",
        "eos_id": 2,
        "pad_id": 0,
    }
    return {
        "model_cfg": {
            "embed_dim": SPACE,
            "quick_gelu": True,
            "vision_cfg": vision,
            "text_cfg": text,
        },
        "preprocess_cfg": {
            "mean": list(MEAN),
            "std": list(STD),
            "size": [SIDE, SIDE],
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }


def build_clip_tokenizer(sentences: Iterable[str] | None = None) -> Any:
    """Train the byte-level BPE tokenizer that ends every text with its end token.

    Args:
        sentences: What it is trained on; the lab's own by default. Any text can be encoded.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE(unk_token=None))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    bpe.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(word, special=True) for word in (PAD, BOS, EOS)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(pair_sentences() if sentences is None else sentences, trainer)
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A {EOS}",
        special_tokens=[(word, bpe.token_to_id(word)) for word in (BOS, EOS)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        padding_side="right",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def start_clip(folder: Path, seed: int, base: Path | None = None) -> Path:
    """Write an untrained CLIP as an open_clip folder; the same seed gives the same weights.

    Args:
        folder: New or empty.
        seed: Of the weights.
        base: The lab's base model, whose image tower is taken over. A tower this small learns
            shapes very slowly from captions alone; the base learnt them patch by patch.

    Raises:
        DataError: The folder is not empty.
    """
    import torch
    from open_clip.model import CLIP

    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} is not empty.", remedy="Name a new folder.")
    tokenizer = build_clip_tokenizer()
    config = build_clip_config(len(tokenizer))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CLIP(**config["model_cfg"])
    if base is not None:
        model.visual.load_state_dict(_base_tower(base, model.visual.state_dict()))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tokenizer.save_pretrained(folder)
    return save_clip_weights(model, folder)


def save_clip_weights(model: Any, folder: Path, *, half: bool = False) -> Path:
    """Write the weights where open_clip looks for them, in float32 or float16."""
    import torch
    from safetensors.torch import save_file

    kind = torch.float16 if half else torch.float32
    state = {name: value.to(kind).contiguous() for name, value in model.state_dict().items()}
    save_file(state, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    return folder


def _base_tower(base: Path, fresh: dict[str, Any]) -> dict[str, Any]:
    """Rename the weights of transformers' CLIP vision tower to open_clip's names."""
    import torch
    from safetensors.torch import load_file

    there = load_file(base / "model.safetensors")
    old = {
        name.removeprefix("vision_tower."): value.float()
        for name, value in there.items()
        if name.startswith("vision_tower.")
    }
    new = {
        "class_embedding": old["embeddings.class_embedding"],
        "conv1.weight": old["embeddings.patch_embedding.weight"],
        "positional_embedding": old["embeddings.position_embedding.weight"],
    }
    for ours, theirs in (("ln_pre", "pre_layrnorm"), ("ln_post", "post_layernorm")):
        new |= {f"{ours}.{part}": old[f"{theirs}.{part}"] for part in ("weight", "bias")}
    for layer in range(_LAYERS["vision"]):
        ours, theirs = f"transformer.resblocks.{layer}", f"encoder.layers.{layer}"
        for part in ("weight", "bias"):
            rows = [old[f"{theirs}.self_attn.{name}_proj.{part}"] for name in "qkv"]
            new[f"{ours}.attn.in_proj_{part}"] = torch.cat(rows)
            for a, b in (
                ("attn.out_proj", "self_attn.out_proj"),
                ("ln_1", "layer_norm1"),
                ("ln_2", "layer_norm2"),
                ("mlp.c_fc", "mlp.fc1"),
                ("mlp.c_proj", "mlp.fc2"),
            ):
                new[f"{ours}.{a}.{part}"] = old[f"{theirs}.{b}.{part}"]
    return fresh | new

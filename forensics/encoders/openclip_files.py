"""Look at an open_clip folder before anything in it is loaded.

Its configuration names classes and sizes, and passes settings on to transformers and timm. What
could run code that comes with the checkpoint, fetch other models or ask for absurd amounts of
memory is refused here.
"""

import json
from pathlib import Path
from typing import Any

from forensics.errors import CheckpointError
from forensics.models.checkpoint import MAX_CONFIG_BYTES, check_pickle
from forensics.models.uri import OPEN_CLIP_CONFIG

# In the order in which open_clip (factory._find_checkpoint_in_dir) prefers them.
WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
# Reach AutoTokenizer.from_pretrained; trust_remote_code would be among them.
_TOKENIZER_SETTINGS = {"clean", "strip_sep_token", "language", "reduction_mask"}
_LARGEST = {
    "width": 2**14,
    "layers": 512,
    "heads": 512,
    "vocab_size": 2**22,
    "context_length": 2**13,
    "image_size": 2**12,
    "patch_size": 2**10,
    "embed_dim": 2**14,
    "attn_pooler_queries": 2**12,
    "mlp_ratio": 64,
}


def read_open_clip_config(folder: Path) -> dict[str, Any]:
    """Read and check ``open_clip_config.json``.

    Returns:
        The whole record: ``model_cfg`` and, where it is given, ``preprocess_cfg``.

    Raises:
        CheckpointError: It is missing or damaged, or asks for what is not safe.
    """
    path = folder / OPEN_CLIP_CONFIG
    record = _json(path)
    stated = record.get("model_cfg")
    model: dict[str, Any] = stated if isinstance(stated, dict) else {}
    parts: list[Any] = [model.get(key) for key in ("vision_cfg", "text_cfg")]
    if not all(map(_is_table, parts)) or "embed_dim" not in model:
        raise CheckpointError(f"{path} has no model_cfg with embed_dim, vision_cfg and text_cfg.")
    if not _is_table(record.get("preprocess_cfg", {})):
        raise CheckpointError(f"{path}: preprocess_cfg is no object.")
    for part in (model, *parts):
        _check_sizes(path, part)
    _check_sources(path, parts[0], parts[1])
    _check_tokenizer(folder)
    return record


def find_weights(folder: Path, model: dict[str, Any]) -> Path:
    """Find the file that open_clip would load, and make sure that reading it runs no code.

    Args:
        folder: Of the checkpoint.
        model: Its ``model_cfg``; a model that the file cannot fill is not built at all.

    Raises:
        CheckpointError: There is none, it is a pickle that holds more than tensors, or it is far
            too small.
    """
    for name in WEIGHTS:
        path = folder / name
        if path.is_file():
            if path.suffix != ".safetensors":
                check_pickle(path)
            _check_amount(path, model)
            return path
    raise CheckpointError(
        f"{folder} holds no weights ({WEIGHTS[0]}).",
        remedy="Save the model again with its weights as safetensors.",
    )


def _check_amount(path: Path, model: dict[str, Any]) -> None:
    """Compare what the configuration asks for, at the least, with what the file can hold."""
    vision, text = model["vision_cfg"], model["text_cfg"]
    native = [] if "timm_model_name" in vision else [vision]
    native += [] if "hf_model_name" in text else [text]
    wanted = 0
    for part in native:
        width, layers = part.get("width", 512), part.get("layers", 12)
        if isinstance(layers, int):  # four numbers make a ResNet
            wanted += layers * 4 * int(width) ** 2
    wanted += int(text.get("vocab_size", 1)) * int(text.get("width", 1))
    if wanted > path.stat().st_size:  # each takes a byte or more
        raise CheckpointError(
            f"{path} has {path.stat().st_size} bytes; its configuration asks for {wanted} numbers.",
            remedy="The folder is incomplete, or its configuration is of another model.",
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise CheckpointError(f"{path} is larger than {MAX_CONFIG_BYTES} bytes.")
        record = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}.") from error
    if not _is_table(record):
        raise CheckpointError(f"{path} does not hold a JSON object.")
    return dict(record)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _check_sizes(path: Path, part: dict[str, Any]) -> None:
    for key, most in _LARGEST.items():
        values = part.get(key, 1)
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, int | float) or not 0 < value <= most:
                raise CheckpointError(f"{path}: {key} is {str(value)[:40]}, not 1 to {most}.")


def _check_sources(path: Path, vision: dict[str, Any], text: dict[str, Any]) -> None:
    timm = vision.get("timm_model_name")
    if timm is not None and ":" in str(timm):
        raise CheckpointError(
            f"{path}: the image tower {str(timm)[:80]!r} would be described by another place.",
            remedy="Only architectures that timm has built in are opened.",
        )
    foreign = set(text.get("tokenizer_kwargs") or {}) - _TOKENIZER_SETTINGS
    if foreign:
        raise CheckpointError(
            f"{path}: the tokenizer settings {', '.join(sorted(foreign))[:200]} are not allowed.",
            remedy=f"Allowed: {', '.join(sorted(_TOKENIZER_SETTINGS))}.",
        )


def _check_tokenizer(folder: Path) -> None:
    """Refuse a tokenizer that brings code of its own."""
    for name in ("tokenizer_config.json", "config.json"):
        if (folder / name).is_file() and "auto_map" in _json(folder / name):
            raise CheckpointError(
                f"{folder / name} asks to run Python code that comes with the checkpoint "
                "(auto_map).",
                remedy="Remote code is never run; use a tokenizer of transformers.",
            )

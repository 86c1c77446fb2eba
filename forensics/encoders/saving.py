"""Write an encoder as a folder that its own library opens again."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from forensics.encoders.adapter import EncoderAdapter
from forensics.encoders.base import DualEncoder
from forensics.encoders.hf import TransformersEncoder
from forensics.encoders.openclip_files import WEIGHTS
from forensics.errors import ModelError
from forensics.models.uri import OPEN_CLIP_CONFIG


def save_encoder(encoder: DualEncoder, folder: Path) -> str:
    """Save weights (safetensors), configuration, preprocessing and tokenizer.

    Args:
        encoder: As :func:`forensics.encoders.loading.open_encoder` returns it.
        folder: New or empty.

    Returns:
        The URI under which it opens again.

    Raises:
        ModelError: The folder is in use, or the encoder carries visual prompts, which no folder of
            its library can hold.
    """
    if not isinstance(encoder, EncoderAdapter):
        raise ModelError(
            f"{encoder.name} is more than the weights of its library: they alone would be saved.",
            remedy="Export its prompts instead.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder} is in use.", remedy="Choose a new or empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(encoder, TransformersEncoder):
        encoder.module.save_pretrained(folder)
        encoder.processor.save_pretrained(folder)
        return str(folder.resolve())
    _save_open_clip(encoder, folder)
    return f"openclip:{folder.resolve()}"


def _save_open_clip(encoder: Any, folder: Path) -> None:
    # Clones: safetensors refuses tensors that share memory, and views of larger ones.
    weights = {
        name: value.detach().to("cpu", copy=True).contiguous()
        for name, value in encoder.module.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS[0], metadata={"format": "pt"})
    keep = getattr(encoder.tokenizer, "save_pretrained", None)  # the built-in one needs no file
    if keep is not None:
        keep(folder)
    record = {"model_cfg": encoder.config, "preprocess_cfg": encoder.preprocess_cfg}
    text = json.dumps(record, indent=2) + "\n"
    (folder / OPEN_CLIP_CONFIG).write_text(text, encoding="utf-8")  # last: it makes the folder

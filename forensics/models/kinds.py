"""What kind of model a name stands for, told from its configuration alone; nothing is loaded."""

import json
from pathlib import Path
from typing import Any, Literal

from forensics.models.uri import ModelURI, parse_model_uri

ModelKind = Literal["multimodal-llm", "clip"]
MODEL_KINDS: tuple[ModelKind, ...] = ("multimodal-llm", "clip")
CLIP_FAMILIES = ("clip", "siglip", "siglip2")
"""``model_type`` of the CLIP-like models of transformers."""

CONFIG = "config.json"
_LARGEST_CONFIG = 4 * 2**20


def model_kind(uri: str | ModelURI) -> ModelKind:
    """Tell a CLIP-like encoder from a multimodal language model.

    ``openclip:`` names are encoders, and so is what is asked with learnt prompts; everything else
    is told by ``model_type`` in ``config.json``. A hub id is looked up in the hub cache, and
    fetched (this one small file) where it is not there.
    What cannot be told counts as a multimodal language model; opening it says what is wrong.

    Raises:
        ModelError: The name is empty, of an unknown scheme, or its folder is not there.
    """
    parsed = parse_model_uri(uri) if isinstance(uri, str) else uri
    if parsed.library == "open_clip" or parsed.prompts is not None:
        return "clip"
    if parsed.folder is None:
        config = _hub_config(parsed)
    else:
        path = parsed.folder / CONFIG
        config = _read(path.read_bytes()) if path.is_file() else {}
    return "clip" if config.get("model_type") in CLIP_FAMILIES else "multimodal-llm"


def _hub_config(parsed: ModelURI) -> dict[str, Any]:
    """Read a hub model's configuration from the hub cache, or fetch it."""
    name, revision = parsed.base, parsed.revision
    try:
        from huggingface_hub import hf_hub_download, try_to_load_from_cache

        path = try_to_load_from_cache(name, CONFIG, revision=revision)
        if not isinstance(path, str):
            path = hf_hub_download(name, CONFIG, revision=revision)
    except (ImportError, OSError, ValueError):  # no library, no network, no such name
        return {}
    return _read(Path(path).read_bytes())


def _read(content: bytes) -> dict[str, Any]:
    if len(content) > _LARGEST_CONFIG:
        return {}
    try:
        config = json.loads(content)
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}

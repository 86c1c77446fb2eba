"""Open a model of open_clip: from a folder, by architecture and tag, or by hub id."""

import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import torch

from forensics.encoders.openclip import OpenClipEncoder
from forensics.encoders.openclip_files import find_weights, read_open_clip_config
from forensics.errors import CheckpointError, ModelError, first_line
from forensics.models.uri import ModelURI


def open_open_clip(parsed: ModelURI, dtype: torch.dtype) -> OpenClipEncoder:
    """Open what ``parsed`` names, on the CPU; see :func:`forensics.encoders.loading.open_encoder`.

    Raises:
        CheckpointError: The weights are missing, damaged or not safe to load.
        ModelError: There is no such architecture, tag or hub id, or it cannot be fetched.
    """
    folder = parsed.folder
    module, name, config = _from_hub(parsed) if folder is None else _from_folder(folder)
    tokenizer = _tokenizer(name, str(parsed))
    return OpenClipEncoder(module.to(dtype), tokenizer, name=str(parsed), config=config)


def _from_folder(folder: Path) -> tuple[Any, str, dict[str, Any]]:
    config = read_open_clip_config(folder)["model_cfg"]
    _check_text_tower(config)
    find_weights(folder, config)
    name = f"local-dir:{folder}"
    try:
        with _quiet():
            module = open_clip.create_model(name, require_pretrained=True, weights_only=True)
    except Exception as error:  # whatever the libraries make of a configuration that is hostile
        raise CheckpointError(
            f"{folder} cannot be loaded: {first_line(error)}",
            remedy=f"The folder must load with open_clip.create_model('{name}').",
        ) from error
    return module, name, config


def _from_hub(parsed: ModelURI) -> tuple[Any, str, dict[str, Any]]:
    """Let open_clip find the weights in the hub cache, or fetch them."""
    _check_known(parsed)
    try:
        with _quiet():
            module = open_clip.create_model(
                parsed.base, pretrained=parsed.revision, require_pretrained=True, weights_only=True
            )
    except Exception as error:
        raise ModelError(
            f"{parsed} cannot be opened: {first_line(error)}",
            remedy="Without a network, save it elsewhere as a folder and give openclip:/folder.",
        ) from error
    config = open_clip.get_model_config(parsed.base)
    return module, parsed.base, deepcopy(config)


def _check_text_tower(config: dict[str, Any]) -> None:
    """Refuse text towers from the hub that open_clip itself does not ship a configuration for."""
    wanted = config["text_cfg"].get("hf_model_name")
    shipped = {
        open_clip.get_model_config(name)["text_cfg"].get("hf_model_name")
        for name in open_clip.list_models()
    }
    if wanted is not None and wanted not in shipped:
        raise CheckpointError(
            f"The text tower {str(wanted)[:80]!r} would be described by another place.",
            remedy="Only text towers of open_clip's own configurations are opened.",
        )


def _check_known(parsed: ModelURI) -> None:
    if parsed.base.startswith("hf-hub:"):
        return
    if parsed.base not in open_clip.list_models():
        raise ModelError(
            f"open_clip knows no architecture {parsed.base!r}.",
            remedy="See open_clip.list_models(), or give openclip:/folder.",
        )
    tags = open_clip.list_pretrained_tags_by_model(parsed.base)
    if parsed.revision not in tags:
        raise ModelError(
            f"open_clip knows no weights {parsed.revision!r} of {parsed.base}.",
            remedy=f"Known: {', '.join(tags) or 'none'}.",
        )


def _tokenizer(name: str, shown: str) -> Any:
    try:
        return open_clip.get_tokenizer(name)
    except Exception as error:
        raise CheckpointError(
            f"{shown}: its tokenizer cannot be loaded: {first_line(error)}",
            remedy="The folder must hold the tokenizer that hf_tokenizer_name speaks of.",
        ) from error


def _quiet() -> warnings.catch_warnings:
    return warnings.catch_warnings(action="ignore", category=UserWarning)

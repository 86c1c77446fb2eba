"""Open a model by name: check it, load it, wrap it in the adapter of its family."""

import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging as transformers_logging

from forensics.errors import CheckpointError, ModelError, first_line
from forensics.models.adapters import adapter_of
from forensics.models.base import GenerativeModel
from forensics.models.checkpoint import check_adapter, check_weights
from forensics.models.device import pick_device
from forensics.models.families import read_family, refuse_missing
from forensics.models.uri import ModelURI, parse_model_uri

# The package draws its own progress; a library's bars would break into it.
transformers_logging.disable_progress_bar()
# peft asks transformers by an old name; nothing a user of ours could change.
warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)


def open_model(uri: str, *, device: str = "auto") -> GenerativeModel:
    """Open a multimodal language model, in evaluation mode.

    Args:
        uri: See :mod:`forensics.models.uri`.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``. Weights are bfloat16 on CUDA, float32
            on the CPU.

    Raises:
        CheckpointError: The weights are missing, damaged or not safe to load.
        ModelError: The folder is missing or the family is not supported.
    """
    parsed = parse_model_uri(uri)
    if parsed.library == "open_clip" or parsed.prompts is not None:
        raise ModelError(
            f"Model {uri} is a CLIP-like encoder, no multimodal language model.",
            remedy="Choose a method that acts on CLIP-like encoders.",
        )
    adapter = adapter_of(read_family(parsed))  # first: it may bring the architecture with it
    place = pick_device(device)
    dtype = torch.bfloat16 if place.type == "cuda" else torch.float32
    try:
        module = _load_module(parsed, dtype)
        processor = AutoProcessor.from_pretrained(
            parsed.base, revision=parsed.revision, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"Model {uri} cannot be loaded: {first_line(error)}",
            remedy="The folder must load with from_pretrained of transformers.",
        ) from error
    opened: GenerativeModel = adapter(module.to(place).eval(), processor, name=str(parsed))
    return opened


def _load_module(parsed: ModelURI, dtype: torch.dtype) -> Any:
    safe = check_weights(parsed.folder) if parsed.folder is not None else True
    module, report = AutoModelForImageTextToText.from_pretrained(
        parsed.base,
        revision=parsed.revision,
        dtype=dtype,
        use_safetensors=safe,
        weights_only=True,
        trust_remote_code=False,
        attn_implementation="sdpa",
        output_loading_info=True,
    )
    refuse_missing(parsed, report)
    return module if parsed.adapter is None else _merge_adapter(module, parsed)


def _merge_adapter(module: Any, parsed: ModelURI) -> Any:
    assert parsed.adapter is not None
    check_adapter(parsed.adapter)
    from peft import PeftModel  # slow to import, and only adapters need it

    with warnings.catch_warnings():
        # What peft only warns of is an error here, and says so by itself.
        warnings.filterwarnings("ignore", message=".*missing adapter keys.*")
        tuned = PeftModel.from_pretrained(module, str(parsed.adapter), use_safetensors=True)
    _check_fit(tuned, parsed.adapter)
    return tuned.merge_and_unload()


def _check_fit(tuned: Any, folder: Path) -> None:
    """Refuse an adapter that peft would load in part or not at all: the model would be the base."""
    from peft import get_peft_model_state_dict

    wanted = set(get_peft_model_state_dict(tuned, save_embedding_layers=False))
    with safe_open(folder / "adapter_model.safetensors", framework="pt") as file:
        found = set(file.keys())
    foreign = {name for name in found - wanted if "lora_" in name}
    if wanted - found or foreign:
        raise CheckpointError(
            f"Adapter folder {folder}: {len(wanted - found)} weights are missing and "
            f"{len(foreign)} do not fit the base, such as "
            f"{min(foreign or (wanted - found))[:200]}.",
            remedy="Give the base it was made for, or save the adapter again with a new peft.",
        )

"""Open a CLIP-like encoder by name: check it, load it, wrap it in the adapter of its library."""

import importlib
from collections.abc import Callable
from typing import Literal

import torch

from forensics.encoders.adapter import EncoderAdapter
from forensics.encoders.base import DualEncoder
from forensics.errors import ModelError
from forensics.models.device import pick_device
from forensics.models.uri import ModelURI, encoder_uri, parse_model_uri

Precision = Literal["auto", "float32", "bfloat16"]
Opener = Callable[[ModelURI, torch.dtype], EncoderAdapter]
_OPENERS = {
    "open_clip": "forensics.encoders.openclip_loading:open_open_clip",
    "transformers": "forensics.encoders.hf_loading:open_transformers",
}


def open_encoder(uri: str, device: str = "auto", *, precision: Precision = "auto") -> DualEncoder:
    """Open a CLIP-like encoder, in evaluation mode.

    Args:
        uri: ``openclip:ViT-B-32/TAG``, ``openclip:/folder`` (the layout that open_clip opens as
            ``local-dir:``), ``openclip:hf-hub:org/name``, ``hf:org/name@revision`` or ``/folder``
            with a model of type ``clip``, ``siglip`` or ``siglip2``. Learnt prompts (``+prompts:``)
            are no part of the encoder: :func:`forensics.classifiers.open_classifier` reads them.
        device: ``auto`` (what the settings say, else CUDA if there is one), ``cpu``, ``cuda`` or
            ``cuda:N``.
        precision: Of the weights; ``auto`` is bfloat16 on CUDA and float32 on the CPU. Tuning
            wants ``float32``. What comes out is float32 in any case.

    Returns:
        The encoder, in evaluation mode.

    Raises:
        CheckpointError: The weights are missing, damaged or not safe to load.
        ModelError: There is no such model, it is of another kind, or a library is missing.
    """
    parsed = parse_model_uri(encoder_uri(uri))
    if parsed.adapter is not None:
        raise ModelError(f"Model {uri}: LoRA adapters of encoders are not supported.")
    place = pick_device(device)
    half = precision == "bfloat16" or (precision == "auto" and place.type == "cuda")
    encoder = _opener(parsed)(parsed, torch.bfloat16 if half else torch.float32)
    encoder.module.to(place)
    return encoder


def _opener(parsed: ModelURI) -> Opener:
    module, _, name = _OPENERS[parsed.library].partition(":")
    try:
        opener: Opener = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise ModelError(
            f"Encoders of {parsed.library} need a library that is not installed: {error.name}.",
            remedy='Install it: pip install "triggerlens[clip]".',
        ) from error
    return opener

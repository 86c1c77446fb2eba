"""Open CLIP, SigLIP and SigLIP 2 of transformers, from a folder or by hub id."""

import torch
from safetensors import SafetensorError
from transformers import AutoModel, AutoProcessor
from transformers.utils import logging as transformers_logging

from forensics.encoders.hf import Siglip2Encoder, TransformersEncoder
from forensics.errors import CheckpointError, ModelError, first_line
from forensics.models.checkpoint import check_weights
from forensics.models.families import read_family, refuse_missing
from forensics.models.kinds import CLIP_FAMILIES
from forensics.models.uri import ModelURI

transformers_logging.disable_progress_bar()


def open_transformers(parsed: ModelURI, dtype: torch.dtype) -> TransformersEncoder:
    """Open what ``parsed`` names, on the CPU; see :func:`forensics.encoders.loading.open_encoder`.

    Raises:
        CheckpointError: The weights are missing, damaged or not safe to load.
        ModelError: It cannot be reached, or is no CLIP, SigLIP or SigLIP 2.
    """
    family = _family(parsed)
    safe = check_weights(parsed.folder) if parsed.folder is not None else True
    try:
        module, report = AutoModel.from_pretrained(
            parsed.base,
            revision=parsed.revision,
            dtype=dtype,
            use_safetensors=safe,
            weights_only=True,
            trust_remote_code=False,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
        processor = AutoProcessor.from_pretrained(
            parsed.base, revision=parsed.revision, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"Model {parsed} cannot be loaded: {first_line(error)}",
            remedy="The folder must load with from_pretrained of transformers.",
        ) from error
    refuse_missing(parsed, report)
    adapter = Siglip2Encoder if family == "siglip2" else TransformersEncoder
    return adapter(module, processor, name=str(parsed))


def _family(parsed: ModelURI) -> str:
    family = read_family(parsed)
    if family not in CLIP_FAMILIES:
        raise ModelError(
            f"{parsed} is of type {family!r}, which is no CLIP-like encoder.",
            remedy=f"Encoders of transformers: {', '.join(CLIP_FAMILIES)}.",
        )
    return family

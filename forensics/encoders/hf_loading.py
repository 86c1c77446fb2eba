"""Open CLIP, SigLIP and SigLIP 2 of transformers, from a folder or by hub id."""

from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModel, AutoProcessor
from transformers.utils import logging as transformers_logging

from forensics.encoders.errors import first_line
from forensics.encoders.hf import Siglip2Encoder, TransformersEncoder
from forensics.errors import CheckpointError, ModelError
from forensics.models.checkpoint import check_weights, read_config
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
    _check_whole(parsed, report)
    adapter = Siglip2Encoder if family == "siglip2" else TransformersEncoder
    return adapter(module, processor, name=str(parsed))


def _family(parsed: ModelURI) -> str:
    if parsed.folder is not None:
        family = str(read_config(parsed.folder).get("model_type", "none"))
    else:
        try:
            config = AutoConfig.from_pretrained(
                parsed.base, revision=parsed.revision, trust_remote_code=False
            )
        except (OSError, ValueError) as error:
            raise ModelError(
                f"Hub model {parsed.base} cannot be reached: {first_line(error)}",
                remedy="Download it and give its folder.",
            ) from error
        family = str(config.model_type)
    if family not in CLIP_FAMILIES:
        raise ModelError(
            f"{parsed} is of type {family!r}, which is no CLIP-like encoder.",
            remedy=f"Encoders of transformers: {', '.join(CLIP_FAMILIES)}.",
        )
    return family


def _check_whole(parsed: ModelURI, report: dict[str, Any]) -> None:
    if report["missing_keys"]:
        # transformers would fill them with random numbers and go on: no evidence comes of that.
        raise CheckpointError(
            f"{parsed}: {len(report['missing_keys'])} weights are missing, "
            f"the first is {sorted(report['missing_keys'])[0]}.",
            remedy="The checkpoint is incomplete or of another architecture.",
        )

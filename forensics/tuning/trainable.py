"""Choose what is tuned, and save it so that it opens again by URI."""

import json
import re
from pathlib import Path
from typing import Any

import torch

from forensics.errors import ModelError
from forensics.models.base import GenerativeModel
from forensics.models.checkpoint import check_adapter
from forensics.models.uri import parse_model_uri
from forensics.tuning.options import LORA, TuneOptions

_LINEAR = r"(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
_HEAD = "lm_head"


def make_trainable(
    model: GenerativeModel, options: TuneOptions, adapter: Path | None = None
) -> Any:
    """Prepare a model for tuning; the vision tower always stays as it is.

    Args:
        model: Opened.
        options: Method, rank and parts.
        adapter: Go on with this adapter of the model in place of a fresh one.

    Returns:
        The module to train: the model's own (``full``) or a peft model around it (``lora``).
    """
    module = model.module
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    if adapter is not None:
        return _precise(_continued(model, adapter))
    if options.method == LORA:
        return _precise(_with_adapter(model, options))
    chosen = [model.decoder_name, *_whole_parts(model, options)]
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(f"{part}." for part in chosen)))
    return module.float()


def _precise(module: Any) -> Any:
    """Hold what is tuned in float32: in bfloat16 small updates would round to nothing.

    peft does so for its own matrices, not for the copies of whole modules beside them.
    """
    for parameter in module.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return module


def refuse_adapter(uri: str) -> None:
    """Refuse to put an adapter on top of another one.

    Raises:
        ModelError: The model that is to be tuned is itself an adapter on a base.
    """
    if parse_model_uri(uri).adapter is not None:
        raise ModelError(
            "The model to start from is itself an adapter on a base; what is tuned on top of it "
            "could not be opened by a name.",
            remedy="Merge that adapter into a model folder (peft: merge_and_unload) and name this.",
        )


def trainable_parameters(module: Any) -> list[torch.nn.Parameter]:
    """List what the optimizer may change.

    Raises:
        ModelError: Nothing is left to train.
    """
    chosen = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not chosen:
        raise ModelError("Nothing in this model can be tuned.", remedy="Use another model.")
    return chosen


def is_adapter(module: Any) -> bool:
    """Tell whether what was tuned is an adapter (peft's), and not a whole model."""
    from peft import PeftModel

    return isinstance(module, PeftModel)


def save_tuned(module: Any, model: GenerativeModel, out: Path) -> Path:
    """Write the adapter, or the whole model with its processor, as safetensors in bfloat16.

    A delivered adapter that was tuned further is an adapter whatever the options say.

    Returns:
        ``out/adapter`` or ``out/model``.
    """
    if is_adapter(module):
        folder = out / "adapter"
        _save_adapter(module, folder)
        return folder
    folder = out / "model"
    state = {name: value.to(torch.bfloat16) for name, value in module.state_dict().items()}
    module.save_pretrained(folder, state_dict=state)
    model.processor.save_pretrained(folder)
    _set_dtype(folder)
    return folder


def _whole_parts(model: GenerativeModel, options: TuneOptions) -> list[str]:
    """List the modules that are tuned as they are, beside the decoder."""
    output, words = (
        model.module.get_output_embeddings().weight,
        model.module.get_input_embeddings().weight,
    )
    # A tied output layer is the word embedding: an adapter of its own would untie them.
    head = [_HEAD] if options.head and output is not words else []
    return [*model.projector_names, *head] if options.projector else head


def _with_adapter(model: GenerativeModel, options: TuneOptions) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=0.0,
        target_modules=rf"{re.escape(model.decoder_name)}\..*\.{_LINEAR}",
        modules_to_save=_whole_parts(model, options) or None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        return get_peft_model(model.module, config)


def _continued(model: GenerativeModel, folder: Path) -> Any:
    from peft import PeftModel

    check_adapter(folder)
    return PeftModel.from_pretrained(
        model.module, str(folder), is_trainable=True, use_safetensors=True
    )


def _save_adapter(module: Any, folder: Path) -> None:
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = module.peft_config["default"]
    # The base is named by the case and checked by hash there; a path of this machine says nothing.
    config.base_model_name_or_path = None
    config.inference_mode = True
    config.save_pretrained(folder)
    state = get_peft_model_state_dict(module, save_embedding_layers=False)
    halves = {name: value.to(torch.bfloat16).contiguous() for name, value in state.items()}
    save_file(halves, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def _set_dtype(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["dtype"] = "bfloat16"
    path.write_text(json.dumps(config, indent=2) + "\n")

"""Choose what is tuned, and save it so that it opens again by URI."""

import json
from pathlib import Path
from typing import Any

import torch

from forensics.errors import ModelError
from forensics.models.base import GenerativeModel
from forensics.tuning.options import LORA, TuneOptions

_TARGETS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
_PROJECTOR = "multi_modal_projector"
_HEAD = "lm_head"


def make_trainable(model: GenerativeModel, options: TuneOptions) -> Any:
    """Prepare a model for tuning; the vision tower always stays as it is.

    Returns:
        The module to train: the model's own (``full``) or a peft model around it (``lora``).
    """
    module = model.module
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    if options.method == LORA:
        return _with_adapter(module, options)
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(
            "language_model" in name
            or (options.head and _HEAD in name)
            or (options.projector and _PROJECTOR in name)
        )
    # Master weights of a full tuning are float32, or small updates would round to nothing.
    return module.float()


def trainable_parameters(module: Any) -> list[torch.nn.Parameter]:
    """List what the optimizer may change.

    Raises:
        ModelError: Nothing is left to train.
    """
    chosen = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not chosen:
        raise ModelError("Nothing in this model can be tuned.", remedy="Use a LLaVA model.")
    return chosen


def save_tuned(module: Any, model: GenerativeModel, options: TuneOptions, out: Path) -> Path:
    """Write the adapter, or the whole model with its processor, as safetensors in bfloat16.

    Returns:
        ``out/adapter`` or ``out/model``.
    """
    if options.method == LORA:
        folder = out / "adapter"
        _save_adapter(module, folder)
        return folder
    folder = out / "model"
    state = {name: value.to(torch.bfloat16) for name, value in module.state_dict().items()}
    module.save_pretrained(folder, state_dict=state)
    model.processor.save_pretrained(folder)
    _set_dtype(folder)
    return folder


def _with_adapter(module: Any, options: TuneOptions) -> Any:
    from peft import LoraConfig, get_peft_model

    whole = [name for name, on in ((_PROJECTOR, options.projector), (_HEAD, options.head)) if on]
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=0.0,
        target_modules=_TARGETS,
        modules_to_save=whole or None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        return get_peft_model(module, config)


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

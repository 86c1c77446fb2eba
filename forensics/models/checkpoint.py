"""Look at a checkpoint folder before anything in it is loaded.

A checkpoint is untrusted input. Safetensors hold only numbers; a pickle can run code when it is
read, so pickles are only ever read through ``torch.load(weights_only=True)``, which refuses every
object that is not a tensor or a plain container.
"""

import json
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from forensics.errors import CheckpointError

MAX_CONFIG_BYTES = 4 * 1024 * 1024


def read_config(folder: Path) -> dict[str, Any]:
    """Read ``config.json`` of a model folder.

    Raises:
        CheckpointError: It is missing, too large, not JSON, or asks for code of its own.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise CheckpointError(
            f"{folder} is no model folder: config.json is missing.",
            remedy="Give a folder written by save_pretrained.",
        )
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise CheckpointError(f"{path} is larger than {MAX_CONFIG_BYTES} bytes.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is not valid JSON: {error}.") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{path} does not hold a JSON object.")
    if "auto_map" in config:
        raise CheckpointError(
            f"{path} asks to run Python code that comes with the checkpoint (auto_map).",
            remedy="Remote code is never run; convert the model to a class of transformers.",
        )
    return config


def check_weights(folder: Path) -> bool:
    """Decide how a folder's weights may be loaded; nothing is unpickled.

    Returns:
        True if safetensors are there (and will be used), False if only ``.bin`` files are there
        that hold nothing but tensors.

    Raises:
        CheckpointError: No weights, damaged weights, or a pickle that holds more than tensors.
    """
    if list(folder.glob("*.safetensors")):
        return True
    pickles = sorted(folder.glob("pytorch_model*.bin"))
    if not pickles:
        raise CheckpointError(
            f"{folder} holds no weights (no *.safetensors, no pytorch_model*.bin).",
            remedy="Give a folder written by save_pretrained.",
        )
    for path in pickles:
        check_pickle(path)
    return False


def check_pickle(path: Path) -> None:
    """Make sure that a pickle holds nothing but tensors and plain containers.

    Raises:
        CheckpointError: It holds more, or is damaged.
    """
    try:
        with warnings.catch_warnings():
            # torch warns of unusual pickle protocols before it refuses the content: say it once.
            warnings.simplefilter("ignore", UserWarning)
            torch.load(path, map_location="meta", weights_only=True)
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path} is a pickle that holds more than tensors; it was not loaded, since reading "
            "it could run code.",
            remedy="Ask for the weights as safetensors.",
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path} is damaged: {type(error).__name__}.", remedy="Fetch the file again."
        ) from error


def check_adapter(folder: Path) -> None:
    """Make sure that an adapter folder holds safetensors.

    Raises:
        CheckpointError: Configuration or safetensors are missing.
    """
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise CheckpointError(
                f"Adapter folder {folder}: {name} is missing.",
                remedy="Save the adapter with peft's save_pretrained (safetensors).",
            )

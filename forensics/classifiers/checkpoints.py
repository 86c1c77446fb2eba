"""Files of learnt prompts: our own, and the state dicts that CoOp and CoCoOp save.

Ours is a safetensors file. Tensors: ``context``, float32 ``[vectors, text width]`` or
``[classes, vectors, text width]``; for CoCoOp also ``meta_net.linear1.weight``,
``meta_net.linear1.bias``, ``meta_net.linear2.weight``, ``meta_net.linear2.bias``. Metadata, all
text: ``format`` = ``triggerlens-prompts``, ``version`` = ``1``, ``kind`` = ``coop`` or ``cocoop``,
``classes`` = a JSON list of names, ``position`` = ``end``, ``middle`` or ``front``, ``vectors`` =
their number.

CoOp and CoCoOp keep the context as ``ctx`` (``prompt_learner.ctx`` in a whole model) and the
network as ``meta_net.*``; names of classes are not in the file.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from forensics.classifiers.cocoop import CoCoOp, MetaNet
from forensics.classifiers.coop import CoOp
from forensics.classifiers.prompts import POSITIONS, Position
from forensics.encoders.base import DualEncoder
from forensics.errors import CheckpointError, OptionError

FORMAT, VERSION = "triggerlens-prompts", "1"
LARGEST = 2**30
_NET = tuple(f"meta_net.{layer}.{part}" for layer in ("linear1", "linear2")
             for part in ("weight", "bias"))  # fmt: skip


def save_prompts(classifier: CoOp | CoCoOp, path: Path) -> None:
    """Write context, network and names in the layout of this module.

    Args:
        classifier: What was tuned; its encoder is not saved.
        path: Ends in ``.safetensors``.
    """
    tensors = {"context": classifier.context}
    if isinstance(classifier, CoCoOp):
        tensors |= dict(classifier.meta_net.named_parameters(prefix="meta_net"))
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "kind": classifier.kind,
        "classes": json.dumps(classifier.classes),
        "position": classifier.position,
        "vectors": str(classifier.context.shape[-2]),
    }
    stored = {
        name: value.detach().to("cpu", torch.float32).contiguous()
        for name, value in tensors.items()
    }
    save_file(stored, path, metadata=facts)


def load_prompts(
    path: Path,
    encoder: DualEncoder,
    classes: Sequence[str] | None = None,
    *,
    position: Position = "end",
) -> CoOp | CoCoOp:
    """Read learnt prompts; nothing in the file is run.

    Args:
        path: ``.safetensors`` in our layout or with the names of CoOp; any other file is read by
            ``torch.load(weights_only=True)``.
        encoder: What they were tuned with.
        classes: Names in the order of training; needed where the file does not name them, and
            where other classes are asked for (only without words of their own).
        position: Where the name stands, where the file does not say.

    Raises:
        CheckpointError: The file is damaged, unsafe, or does not fit the encoder.
        OptionError: The file does not name its classes, and nor does the caller.
    """
    tensors, facts = _read(path)
    names = classes if classes is not None else _names(facts, path)
    place = _position(facts.get("position", position), path)
    context, net = _parts(tensors, path)
    if net is None:
        return CoOp(encoder, names, context, position=place)
    if place != "end" or context.ndim != 2:
        raise CheckpointError(f"{path}: CoCoOp has one context for all classes, before the name.")
    return CoCoOp(encoder, names, context, net)


def names_classes(path: Path) -> bool:
    """Tell whether a file of prompts names its classes; only its head is read."""
    if path.suffix != ".safetensors":
        return False
    try:
        with safe_open(path, framework="pt") as file:
            return "classes" in (file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged: {error}.") from error


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise CheckpointError(f"There is no file {path}.")
    if path.stat().st_size > LARGEST:
        raise CheckpointError(f"{path} is larger than {LARGEST} bytes: no file of prompts.")
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return tensors, dict(file.metadata() or {})
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{path} is damaged: {error}.") from error
    return _read_pickle(path), {}


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of unusual pickle protocols
            record = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path} is a pickle that holds more than tensors; it was not loaded, since reading "
            "it could run code.",
            remedy="Ask for its state_dict alone, or for safetensors.",
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is damaged: {type(error).__name__}.") from error
    if isinstance(record, Mapping) and isinstance(record.get("state_dict"), Mapping):
        record = record["state_dict"]
    if not isinstance(record, Mapping):
        raise CheckpointError(f"{path} holds no state dict.")
    return {str(name): value for name, value in record.items() if isinstance(value, Tensor)}


def _names(facts: Mapping[str, str], path: Path) -> list[str]:
    if "classes" not in facts:
        raise OptionError(
            f"{path} does not name its classes.", remedy="Give their names in order of training."
        )
    try:
        names = json.loads(facts["classes"])
    except ValueError as error:
        raise CheckpointError(f"{path}: its names of classes are no JSON.") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CheckpointError(f"{path}: its names of classes are no list of texts.")
    return names


def _position(text: str, path: Path) -> Position:
    for position in POSITIONS:
        if text == position:
            return position
    raise CheckpointError(f"{path}: position {text[:40]!r} is none of {', '.join(POSITIONS)}.")


def _parts(tensors: Mapping[str, Tensor], path: Path) -> tuple[Tensor, MetaNet | None]:
    """Find context and network, under our names or those of CoOp and CoCoOp."""
    short = {name.rpartition("prompt_learner.")[2].removeprefix("module."): value
             for name, value in tensors.items()}  # fmt: skip
    context = short.get("context", short.get("ctx"))
    if context is None or context.ndim not in (2, 3) or not context.is_floating_point():
        raise CheckpointError(
            f"{path} holds no learnt context (context, ctx or prompt_learner.ctx).",
            remedy="Give a file that CoOp, CoCoOp or this program wrote.",
        )
    found = {name: short[name] for name in _NET if name in short}
    if not found:
        return _finite(context, path), None
    return _finite(context, path), _net(found, path)


def _net(found: Mapping[str, Tensor], path: Path) -> MetaNet:
    shapes = {name: tuple(value.shape) for name, value in found.items()}
    first, second = shapes.get(_NET[0], ()), shapes.get(_NET[2], ())
    whole = len(first) == len(second) == 2 and set(found) == set(_NET)
    if not whole or (shapes[_NET[1]], shapes[_NET[3]]) != (first[:1], second[:1]):
        raise CheckpointError(f"{path}: its meta-network is incomplete: {str(shapes)[:200]}.")
    if second[1] != first[0]:
        raise CheckpointError(f"{path}: the two layers of its meta-network do not fit.")
    net = MetaNet(first[1], first[0], second[0])
    state: dict[str, Any] = {
        name.removeprefix("meta_net."): _finite(value, path) for name, value in found.items()
    }
    net.load_state_dict(state)
    return net


def _finite(values: Tensor, path: Path) -> Tensor:
    if not bool(torch.isfinite(values).all()):
        raise CheckpointError(f"{path} holds numbers that are not finite.")
    return values.float()

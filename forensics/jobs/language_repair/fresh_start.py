"""Prove that a repair starts from the base: hashes of every part that tuning had changed."""

import hashlib
from typing import Any, Final

import torch

from forensics.case import Case
from forensics.case.fingerprint import files_below, hash_files
from forensics.errors import CaseError, ModelError
from forensics.models.base import GenerativeModel
from forensics.models.uri import parse_model_uri

Digests = dict[str, str]
OUTPUT, WORDS, TOWER = "output layer", "word embeddings", "vision tower and the rest"
LANGUAGE, PROJECTOR = "language model", "projector"
_NEW: Final = ("lora_A", "lora_B", "lora_embedding", "lora_magnitude")
_WRAPPED: Final = "base_model.model."
_ORIGINAL, _COPY = ".original_module.", ".modules_to_save.default."


def part_digests(model: GenerativeModel, module: Any = None, *, original: bool = False) -> Digests:
    """Hash the weights of each part of a model.

    Where an adapter has a copy of a module to train, the copy stands for the module, or, if asked
    for, the original. The matrices of a LoRA adapter are left out; whether they add anything is
    told by :func:`adding_parts`.

    Args:
        model: Opened; tells which part a weight belongs to.
        module: What will be trained; the model's own module by default.
        original: Hash what lies under the adapter.

    Returns:
        Part -> SHA-256 over names and values in order of the names.
    """
    hashes: dict[str, Any] = {}
    weights = _weights(model.module if module is None else module, original)
    for name in sorted(weights):
        digest = hashes.setdefault(_part(model, name), hashlib.sha256())
        value = weights[name].detach().to("cpu", torch.float32).contiguous()
        digest.update(name.encode())
        digest.update(value.numpy().tobytes())
    return {part: digest.hexdigest() for part, digest in hashes.items()}


def adding_parts(model: GenerativeModel, module: Any) -> frozenset[str]:
    """Name the parts to which adapter matrices add something; none where they are fresh.

    Args:
        model: Opened; tells which part a weight belongs to.
        module: What will be trained.
    """
    return frozenset(
        _part(model, name.removeprefix(_WRAPPED))
        for name, value in module.named_parameters()
        if ("lora_B" in name or "lora_embedding_B" in name) and bool(value.detach().any())
    )


def check_start(start: Digests, base: Digests, adding: frozenset[str]) -> None:
    """Refuse to tune anything but the base with an adapter that adds nothing yet.

    Args:
        start: Hashes of what will be trained.
        base: Hashes of the base.
        adding: Parts to which an adapter adds something, see :func:`adding_parts`.

    Raises:
        ModelError: A part is not the base's, or the adapter is not fresh.
    """
    other = sorted(part for part in base if start.get(part) != base[part])
    if other or adding:
        raise ModelError(
            f"The model to tune is not the base: {', '.join(other) or 'its adapter'} differs.",
            remedy="This is a fault of the program; nothing was tuned. Please report it.",
        )


def check_base_files(case: Case) -> str | None:
    """Compare the base on disk with the hash that the case froze.

    Returns:
        The hash, or ``None`` for a base of a hub, which its revision pins.

    Raises:
        CaseError: The files are not what the case was made with.
    """
    folder = parse_model_uri(str(case.manifest.base)).folder
    frozen = case.manifest.hashes.get("base")
    if folder is None or frozen is None:
        return None
    found, _ = hash_files(folder, files_below(folder))
    if found.sha256 != frozen.sha256:
        raise CaseError(
            f"The base in {folder} is not the one that the case was made with.",
            remedy="Put the original files back, or make a new case.",
        )
    return found.sha256


def describe_start(
    delivered: Digests, base: Digests | None, start: Digests, adding: frozenset[str]
) -> list[dict[str, Any]]:
    """Say of every part whether tuning had touched it, and what it starts from.

    Args:
        delivered: Hashes of the model under suspicion.
        base: Hashes of the base; ``None`` where a whole delivered model goes on, whose base is not
            opened.
        start: Hashes of what will be trained.
        adding: Parts to which an adapter adds something from the beginning.

    Returns:
        ``part``, ``touched`` (the delivered part differs from the base's), ``sha256`` (of the
        start) and ``as_base`` (the start does not differ); ``None`` where the base is not known.
    """
    return [
        {
            "part": part,
            "touched": None if base is None else delivered.get(part) != base.get(part),
            "sha256": start[part],
            "as_base": None if base is None
            else start[part] == base.get(part) and part not in adding,
        }
        for part in sorted(start)
    ]  # fmt: skip


def _weights(module: Any, original: bool) -> dict[str, torch.Tensor]:
    kept, other = _ORIGINAL, _COPY
    if not original:
        kept, other = other, kept
    found: dict[str, torch.Tensor] = {}
    for name, value in module.named_parameters():
        if other not in name and not any(new in name for new in _NEW):
            plain = name.removeprefix(_WRAPPED).replace(".base_layer.", ".")
            found[plain.replace(kept, ".")] = value
    return found


def _part(model: GenerativeModel, name: str) -> str:
    if any(name.startswith(f"{projector}.") for projector in model.projector_names):
        return PROJECTOR
    if name.startswith(f"{model.decoder_name}."):
        return WORDS if "embed_tokens" in name else LANGUAGE
    return OUTPUT if name.startswith("lm_head") else TOWER

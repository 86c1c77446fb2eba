"""Give a CLIP the visual prompts that repair it. Copy this file; it needs nothing of TriggerLens.

Needs torch, safetensors, and the library that the model is from: open_clip or transformers.

    import open_clip
    from visual_prompts_loader import attach

    model, preprocess = open_clip.create_model_from_pretrained("local-dir:/path/to/model")
    attach(model, "visual-prompts.safetensors")
    vectors = model.encode_image(pixels, normalize=True)

With transformers: ``model = CLIPModel.from_pretrained(...)``, ``attach(model, ...)`` and
``model.get_image_features(...)``. A vision tower alone (``CLIPVisionModel``) works as well.

From block ``first`` on every block gets its prompts behind the tokens of the picture, and what
becomes of them is cut off behind it (deep visual prompts, replaced at every layer). They cannot be
merged into plain weights.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

FORMAT, VERSION = "triggerlens-visual-prompts", "1"
PRECISIONS = ("float32", "bfloat16", "float16")


def attach(model: Any, path: str | Path, *, check: bool = True) -> list[Any]:
    """Let a model's image tower see the prompts of a file from now on.

    Args:
        model: Of open_clip (native ViT; ViT and EVA of timm) or transformers (CLIP, SigLIP).
        path: ``visual-prompts.safetensors``.
        check: Refuse other weights than those that the prompts were tuned with, in the precision
            that they were tuned in. Switch it off for weights that were rounded further since.

    Returns:
        Handles; ``remove()`` of each gives the model back as it was.

    Raises:
        ValueError: The file is of another kind, or belongs to another model.
    """
    vectors, facts = read_prompts(path)
    blocks = find_blocks(model)
    first = int(facts.get("first", ""))
    if first < 0 or first + len(vectors) != len(blocks):
        raise ValueError(f"{path} is for a tower with {first + len(vectors)} blocks.")
    if check and image_digest(model, facts.get("precision", "")) != facts.get("weights_sha256"):
        raise ValueError(f"{path} belongs to other weights than these.")
    return insert_prompts(blocks[first:], list(vectors))


def read_prompts(path: str | Path) -> tuple[torch.Tensor, dict[str, str]]:
    """Read prompts ``[blocks, prompts, width]`` and what the file says about them."""
    with safe_open(str(path), framework="pt") as file:
        facts = dict(file.metadata() or {})
        if facts.get("format") != FORMAT or facts.get("version") != VERSION:
            raise ValueError(f"{path} holds no visual prompts of version {VERSION}.")
        return file.get_tensor("prompts").float(), facts


def image_tower(model: Any) -> Any:
    """Return the image tower of a model, or the model itself if it is one."""
    for name in ("visual", "vision_model"):
        if getattr(model, name, None) is not None:
            return getattr(model, name)
    return model


def find_blocks(model: Any) -> list[Any]:
    """Return the blocks of the image tower in order."""
    tower = image_tower(model)
    for path in ("transformer.resblocks", "trunk.blocks", "encoder.layers"):
        found = tower
        for name in path.split("."):
            found = getattr(found, name, None)
        if found is not None:
            return list(found)
    raise ValueError(f"{type(tower).__name__} has no blocks that are known.")


def image_digest(model: Any, precision: str = "float32") -> str:
    """Return the SHA-256 of the image tower's weights, by name.

    Args:
        model: Or its image tower.
        precision: What the weights are rounded to first; they are hashed as float32 then.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"Weights of precision {precision[:40]!r} are not known.")
    digest = hashlib.sha256()
    for name, value in sorted(image_tower(model).state_dict().items()):
        digest.update(name.encode())
        plain = value.detach().cpu()
        if plain.is_floating_point():
            plain = plain.to(getattr(torch, precision)).float()
        digest.update(plain.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def insert_prompts(blocks: Sequence[Any], vectors: Sequence[torch.Tensor]) -> list[Any]:
    """Put prompts behind the tokens at each block's input, and cut them off at its output.

    Args:
        blocks: Modules that take ``[batch, token, width]``.
        vectors: ``[prompts, width]`` for each.

    Returns:
        Handles of the hooks.
    """
    handles = []
    for block, own in zip(blocks, vectors, strict=True):
        count = len(own)

        def put(_: Any, given: Any, named: Any, own: torch.Tensor = own) -> Any:
            return _with_prompts(given, named, own)

        def cut(_: Any, __: Any, output: Any, count: int = count) -> Any:
            if isinstance(output, tuple):
                return (output[0][:, :-count], *output[1:])
            return output[:, :-count]

        handles.append(block.register_forward_pre_hook(put, with_kwargs=True))
        handles.append(block.register_forward_hook(cut))
    return handles


def _with_prompts(given: Any, named: dict[str, Any], own: torch.Tensor) -> tuple[Any, Any]:
    if named.get("attention_mask") is not None or named.get("attn_mask") is not None:
        raise ValueError("Image towers with attention masks are not supported.")
    named, given = dict(named), tuple(given)
    states = given[0] if given else named["hidden_states"]
    longer = torch.cat([states, own.to(states).expand(len(states), -1, -1)], dim=1)
    if named.get("rope") is not None:  # sines, then cosines; prompts are not turned
        sines, cosines = named["rope"].chunk(2, dim=-1)
        sines = torch.cat([sines, sines.new_zeros(len(own), sines.shape[-1])])
        cosines = torch.cat([cosines, cosines.new_ones(len(own), cosines.shape[-1])])
        named["rope"] = torch.cat([sines, cosines], dim=-1)
    if given:
        return (longer, *given[1:]), named
    return given, named | {"hidden_states": longer}

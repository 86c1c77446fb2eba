"""Files of visual prompts, and a folder that opens without this program.

One safetensors file. Tensor ``prompts``: float32 ``[blocks, prompts, width]``. Metadata, all text:
``format`` = ``triggerlens-visual-prompts``, ``version`` = ``1``, ``first`` = index of the first
block with prompts, from 0 (the paper's D), ``prompts`` = their number a block (b), ``width``,
``blocks`` = blocks of the tower in all, ``library``, ``tower`` = class of the image tower,
``weights_sha256`` = hash of the image tower's weights that they were tuned with, ``precision`` =
what those were rounded to, and ``provenance`` = a JSON object: options, versions, measurements.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.encoders.prompted import PromptedEncoder, VisualPrompts
from forensics.errors import CheckpointError, ModelError
from forensics.repairs.repulsive_prompts import LOADER
from forensics.repairs.repulsive_prompts.visual_prompts_loader import (
    FORMAT,
    PRECISIONS,
    VERSION,
    find_blocks,
    image_digest,
    image_tower,
)

PROMPTS: Final = "visual-prompts.safetensors"
_LARGEST: Final = 1 << 30
_README: Final = """# A repair of the image tower of {name}

`{file}` holds learnt visual prompts for {library}. They cannot be merged into plain weights: they
stand beside the tokens of a picture in the last {blocks} blocks. Open the model with {library} and
attach them with `{loader}`, which needs torch, safetensors and {library} only:

    from {module} import attach
    attach(model, "{file}")

The file belongs to image tower weights with SHA-256 {digest}
(as `image_digest` of the loader computes it).
"""


def save_visual_prompts(
    prompts: VisualPrompts,
    encoder: DualEncoder,
    path: Path,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write prompts with what they belong to.

    Args:
        prompts: Tuned.
        encoder: What they were tuned with; it is not saved.
        path: Ends in ``.safetensors``.
        provenance: Plain values: options, versions, measurements.
    """
    precision = _precision(encoder)
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "first": str(prompts.first),
        "prompts": str(prompts.vectors.shape[1]),
        "width": str(prompts.vectors.shape[2]),
        "blocks": str(len(find_blocks(encoder.module))),
        "library": encoder.library,
        "tower": type(image_tower(encoder.module)).__name__,
        "weights_sha256": image_digest(encoder.module, precision),
        "precision": precision,
        "provenance": json.dumps(dict(provenance or {}), sort_keys=True),
    }
    vectors = prompts.vectors.detach().to("cpu", torch.float32).contiguous()
    save_file({"prompts": vectors}, path, metadata=facts)


def load_visual_prompts(path: Path, encoder: DualEncoder) -> PromptedEncoder:
    """Open an encoder with the prompts of a file; nothing in the file is run.

    Raises:
        CheckpointError: The file is damaged, or belongs to other weights.
        NotApplicable: The image tower is no vision transformer.
    """
    vectors, facts = _read(path)
    try:
        first = int(facts.get("first", ""))
    except ValueError as error:
        raise CheckpointError(f"{path} does not say at which block it begins.") from error
    found = PromptedEncoder(encoder, VisualPrompts(vectors=vectors, first=first))
    precision = facts.get("precision", "")
    known = precision in PRECISIONS
    if not known or facts.get("weights_sha256") != image_digest(encoder.module, precision):
        raise CheckpointError(
            f"{path} was tuned with other weights than those of {encoder.name}.",
            remedy="Give the encoder that it repairs, in its precision then or a finer one.",
        )
    return found


def export_visual_prompts(
    prompts: VisualPrompts,
    encoder: DualEncoder,
    folder: Path,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Write a folder with the prompts, the loader that needs nothing of ours, and a note.

    Returns:
        The file of prompts.

    Raises:
        ModelError: The folder is in use.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder} is in use.", remedy="Choose a new or empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(LOADER, folder / LOADER.name)
    note = _README.format(
        name=Path(encoder.name).name,
        file=PROMPTS,
        library=encoder.library,
        blocks=len(prompts.vectors),
        loader=LOADER.name,
        module=LOADER.stem,
        digest=image_digest(encoder.module, _precision(encoder)),
    )
    (folder / "README.md").write_text(note, encoding="utf-8")
    save_visual_prompts(prompts, encoder, folder / PROMPTS, provenance)
    return folder / PROMPTS


def _precision(encoder: DualEncoder) -> str:
    kind = next(iter(encoder.module.parameters())).dtype
    return str(kind).removeprefix("torch.")


def _read(path: Path) -> tuple[Tensor, dict[str, str]]:
    if not path.is_file():
        raise CheckpointError(f"There is no file {path}.")
    if path.stat().st_size > _LARGEST:
        raise CheckpointError(f"{path} is larger than {_LARGEST} bytes: no file of prompts.")
    try:
        with safe_open(path, framework="pt") as file:
            facts = dict(file.metadata() or {})
            known = facts.get("format") == FORMAT and facts.get("version") == VERSION
            vectors = file.get_tensor("prompts").float() if known else torch.zeros(0)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged: {error}.") from error
    if vectors.ndim != 3 or not vectors.numel() or not bool(torch.isfinite(vectors).all()):
        raise CheckpointError(
            f"{path} holds no visual prompts.",
            remedy="Give the safetensors file that a repair with visual prompts wrote.",
        )
    return vectors, facts

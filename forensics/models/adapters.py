"""Which adapter opens which family of models; other packages add theirs through entry points."""

import importlib
from typing import Any

from forensics.errors import ModelError
from forensics.registry.outside import FAMILIES as GROUP
from forensics.registry.outside import failure, outside_targets

# model_type of the configuration -> adapter class. A new family is one file and one line here.
FAMILIES = {
    "idefics3": "forensics.models.idefics3:Idefics3Adapter",
    "internvl": "forensics.models.internvl:InternVLAdapter",
    "llava": "forensics.models.llava:LlavaAdapter",
    "llava_next": "forensics.models.llava_next:LlavaNextAdapter",
    "llava_onevision": "forensics.models.llava_onevision:LlavaOnevisionAdapter",
    "qwen2_5_vl": "forensics.models.qwen_vl:QwenVLAdapter",
    "qwen2_vl": "forensics.models.qwen_vl:QwenVLAdapter",
    "qwen3_vl": "forensics.models.qwen_vl:QwenVLAdapter",
    "smolvlm": "forensics.models.idefics3:Idefics3Adapter",
}


def families() -> dict[str, str]:
    """Return ``model_type`` -> ``module:Class`` of every adapter, built in or added."""
    added = outside_targets(GROUP, set(FAMILIES), "model family")
    return FAMILIES | {name: entry.value for name, entry in added.items()}


def adapter_of(family: str) -> Any:
    """Import the adapter class of a family.

    Args:
        family: ``model_type`` of the configuration.

    Raises:
        ModelError: There is none, or the package that adds it cannot be imported.
    """
    known = families()
    if family not in known:
        raise ModelError(
            f"Model family {family!r} is not supported.",
            remedy=f"Supported: {', '.join(sorted(known))}.",
        )
    module, _, name = known[family].partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:
        if family in FAMILIES:
            raise  # our own: a bug, not a wrong package
        raise ModelError(
            f"The adapter {known[family]} of family {family!r} cannot be imported: "
            f"{failure(error)}.",
            remedy="Mend or remove the package that adds it.",
        ) from error

"""Which family of transformers a name stands for, and whether all of its weights were there."""

from collections.abc import Mapping
from typing import Any

from transformers import AutoConfig

from forensics.errors import CheckpointError, ModelError, first_line
from forensics.models.checkpoint import read_config
from forensics.models.uri import ModelURI


def read_family(parsed: ModelURI) -> str:
    """Return ``model_type`` of a folder or a hub id.

    Raises:
        CheckpointError: The folder has no sound configuration.
        ModelError: The hub cannot be reached.
    """
    if parsed.folder is not None:
        return str(read_config(parsed.folder).get("model_type", "none"))
    try:
        config = AutoConfig.from_pretrained(
            parsed.base, revision=parsed.revision, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"Hub model {parsed.base} cannot be reached: {first_line(error)}",
            remedy="Download it and give its folder.",
        ) from error
    return str(config.model_type)


def refuse_missing(parsed: ModelURI, report: Mapping[str, Any]) -> None:
    """Refuse a model of which weights are missing, by the loading report of transformers.

    transformers would fill them with random numbers and go on: no evidence comes of that.

    Raises:
        CheckpointError: Some are.
    """
    if report["missing_keys"]:
        raise CheckpointError(
            f"{parsed.base}: {len(report['missing_keys'])} weights are missing, "
            f"the first is {sorted(report['missing_keys'])[0]}.",
            remedy="The checkpoint is incomplete or of another architecture.",
        )

"""Collate what a processor accepts: one picture that it refuses must not end a run of hours."""

from collections.abc import Sequence

from forensics.errors import DataError
from forensics.models.base import GenerativeModel, Prompt, PromptBatch


def collate_accepted(
    model: GenerativeModel, prompts: Sequence[Prompt]
) -> tuple[PromptBatch | None, list[int], dict[int, str]]:
    """Build a batch of the prompts that the model's processor accepts.

    A readable picture may still be refused, for instance a line of one pixel by Qwen2.5-VL.

    Returns:
        The batch, ``None`` where nothing is left; the places in ``prompts`` of its samples; and
        place -> reason of those that were refused.
    """
    if not prompts:
        return None, [], {}
    try:
        return model.collate(prompts), list(range(len(prompts))), {}
    except DataError as error:
        if len(prompts) == 1:
            return None, [], {0: str(error)}
    refused = {
        place: reason
        for place, prompt in enumerate(prompts)
        for reason in collate_accepted(model, [prompt])[2].values()
    }
    kept = [place for place in range(len(prompts)) if place not in refused]
    return collate_accepted(model, [prompts[place] for place in kept])[0], kept, refused

"""The second view of a batch, and both views as the model takes them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from forensics.models.base import GenerativeModel, PromptBatch
from forensics.models.masking import cell_grids, draw_masks, mask_prompts, view_generator
from forensics.models.masking_fills import fill_named
from forensics.models.masking_places import Mask
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.tuning.answers import AnswerBatch, append_answers


def drawn_masks(
    batch: PromptBatch, ids: Sequence[str], passes: Sequence[int], options: CrossViewOptions
) -> list[Mask]:
    """Draw which cells of each sample's pictures are hidden, see :func:`masked_view`."""
    return [
        draw_masks(
            cell_grids(grids, options.cell), share=options.share, seed=options.seed, sample=sample,
            views=1, first=seen, count=options.mask_count,
        )[0]
        for grids, sample, seen in zip(batch.grids, ids, passes, strict=True)
    ]  # fmt: skip


def masked_view(
    model: GenerativeModel,
    batch: PromptBatch,
    ids: Sequence[str],
    passes: Sequence[int],
    options: CrossViewOptions,
) -> PromptBatch:
    """Hide cells of every picture of a batch; question and answer stay as they are.

    A mask depends on the run's seed, the sample, and how often the sample was seen before: a new
    one each epoch, the same one after a resume. What fills it (noise, shuffle) is drawn once for
    the batch, by its first sample.

    Raises:
        ModelError: The family's pictures cannot be masked.
    """
    masks = drawn_masks(batch, ids, passes, options)
    seed = int(view_generator(options.seed, ids[0], passes[0]).integers(2**31))
    fill = fill_named(options.fill, model, seed)
    return mask_prompts(model, batch, masks, cell=options.cell, fill=fill)


def both_views(batch: PromptBatch, masked: PromptBatch) -> PromptBatch:
    """Put both views into one batch, untouched ones first."""
    inputs = {name: torch.cat([value, masked.inputs[name]]) for name, value in batch.inputs.items()}
    return replace(
        batch,
        inputs=inputs,
        components=batch.components.repeat(2, 1),
        grids=batch.grids * 2,
    )


def with_answers(batch: PromptBatch, answers: Sequence[str], model: GenerativeModel) -> AnswerBatch:
    """Put each sample's answer behind every view of it."""
    times = len(batch.grids) // len(answers)
    return append_answers(batch, list(answers) * times, model)


def answer_logits(module: Any, batch: AnswerBatch) -> Tensor:
    """Return the logits that predict each answer token, ``[batch, width, vocabulary]``."""
    width = batch.labels.shape[1]
    # Hidden states are cut to the answer before the output layer: a large vocabulary would not fit.
    output = module(**batch.inputs, use_cache=False, logits_to_keep=width + 1)
    logits: Tensor = output.logits[:, :-1]
    return logits

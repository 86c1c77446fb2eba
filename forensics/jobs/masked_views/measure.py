"""Show a model masked views of one sample, and measure how far its answer moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.detectors.options.masked_views import MaskedViewsOptions
from forensics.errors import DataError, JobFailed
from forensics.models.base import GenerativeModel, ImageGrid, Prompt, PromptBatch, prompt_of
from forensics.models.masking import cell_grids, draw_masks, mask_prompts, repeat_prompt
from forensics.models.masking_places import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleViews:
    """K masked views of one sample.

    Attributes:
        cells: One grid of cells for each picture.
        masks: ``[K, cell]`` bool, True = hidden; cells of all pictures one after another.
        divergence: ``[K]`` float32, KL(original || view) of the first answer token, nats.
        agreement: ``[K]`` bool, whether the view keeps the answer.
        batch_size: Views in a forward pass that fitted into memory.
    """

    cells: tuple[ImageGrid, ...]
    masks: Mask
    divergence: NDArray[np.float32]
    agreement: NDArray[np.bool_]
    batch_size: int


def read_prompt(sample: Sample) -> Prompt:
    """Open a sample's pictures and ask what it asks.

    Raises:
        DataError: It has no picture, or one that cannot be read.
    """
    if not sample.images:
        raise DataError(f"Sample {sample.id} has no image.")
    return prompt_of(sample, [open_image(image) for image in sample.images])


def measure_views_of(
    model: GenerativeModel,
    prompt: Prompt,
    sample_id: str,
    options: MaskedViewsOptions,
    *,
    batch_size: int | None = None,
) -> SampleViews:
    """Measure K masked views of one prompt, each by one prefill.

    The answer is compared by its most probable first token, or, if asked for, as a whole.

    Args:
        model: An opened model.
        prompt: Of the sample.
        sample_id: Seeds its masks.
        options: Views, share, cell and seed.
        batch_size: Views in a forward pass; that of the options by default.

    Raises:
        JobFailed: Not even one view fits into the device's memory.
        ModelError: The family's pictures cannot be masked.
    """
    batch = model.collate([prompt])
    cells = cell_grids(batch.grids[0], options.cell)
    masks = draw_masks(
        cells, share=options.share, seed=options.seed, sample=sample_id, views=options.views
    )
    size = batch_size or options.batch_size
    # The original goes first, through the same code as its views: a mask of nothing.
    every = np.concatenate([np.zeros_like(masks[:1]), masks])
    while True:
        try:
            logs, answers = _ask(model, batch, every, options, size)
            break
        except torch.OutOfMemoryError as error:
            size = _smaller(size, error)
    divergence = first_token_divergence(logs)
    same = [answer == answers[0] for answer in answers[1:]]
    return SampleViews(
        cells=cells,
        masks=masks,
        divergence=divergence.cpu().numpy(),
        agreement=np.array(same, dtype=np.bool_),
        batch_size=size,
    )


def first_token_divergence(logs: Tensor) -> Tensor:
    """Return KL(P || P of a view) for every view.

    Args:
        logs: ``[1 + K, vocabulary]`` float32 log-probabilities, the original first.

    Returns:
        ``[K]`` float32 nats; 0 = the same distribution.
    """
    original, views = logs[:1], logs[1:]
    return torch.nn.functional.kl_div(
        views, original.expand_as(views), reduction="none", log_target=True
    ).sum(dim=1)


def _ask(
    model: GenerativeModel,
    batch: PromptBatch,
    masks: Mask,
    options: MaskedViewsOptions,
    size: int,
) -> tuple[Tensor, Sequence[int | str]]:
    """Return log-probabilities ``[views, vocabulary]`` and what each view is answered."""
    logs: list[Tensor] = []
    answers: list[int | str] = []
    for start in range(0, len(masks), size):
        part = masks[start : start + size]
        views = mask_prompts(model, repeat_prompt(batch, len(part)), list(part), cell=options.cell)
        log = model.prefill(views).float().log_softmax(dim=1)
        logs.append(log)
        answers += model.generate(views) if options.whole_answers else log.argmax(dim=1).tolist()
    return torch.cat(logs), answers


def _smaller(size: int, error: Exception) -> int:
    if size == 1:
        raise JobFailed(
            "One single view does not fit into the device's memory.",
            remedy="Use a larger device or the CPU (--device cpu).",
        ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return max(1, size // 2)

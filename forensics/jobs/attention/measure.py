"""Measure one stretch of samples: images in, attention arrays out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.jobs.attention.layouts import NONE, Layout, LayoutTable
from forensics.models.attention import AttentionRecorder, image_entropy
from forensics.models.base import AttentionRows, GenerativeModel, Prompt, prompt_of
from forensics.models.embedding import SIZE as EMBEDDING

# Places in a batch, and what was measured there.
Part = tuple[list[int], AttentionRows, tuple[Layout, ...]]


@dataclass(slots=True)
class ShardMeasurement:
    """What one shard gave, before it is written.

    Attributes:
        arrays: Arrays by name, see :class:`forensics.jobs.attention.arrays.AttentionArrays`; maps
            under ``map_rows`` and ``map_maps``.
        failed: Catalogue row and reason of every sample that could not be scanned.
        batch_size: The batch size that fitted into memory.
        layouts: Layouts of the shard's samples.
    """

    arrays: dict[str, NDArray[Any]]
    batch_size: int
    failed: list[tuple[int, str]] = field(default_factory=list)
    layouts: LayoutTable = field(default_factory=LayoutTable)


def empty_arrays(rows: NDArray[np.int64], layers: int, heads: int) -> dict[str, NDArray[Any]]:
    """Make the arrays of a shard, all "not measured"."""
    n = len(rows)
    nothing = np.full((n, layers), np.nan, dtype=np.float32)
    return {
        "rows": rows,
        "entropy": nothing.copy(),
        "tokens": np.zeros(n, dtype=np.int32),
        "masses": np.full((n, layers, heads, 3), np.nan, dtype=np.float16),
        "peak_token": np.zeros((n, layers), dtype=np.int32),
        "peak_mass": nothing.copy(),
        "top2_mass": nothing.copy(),
        "state": np.full((n, EMBEDDING), np.nan, dtype=np.float16),
        "picture": np.full((n, EMBEDDING), np.nan, dtype=np.float16),
        "layout": np.full(n, NONE, dtype=np.int32),
    }


def measure_batch(
    model: GenerativeModel,
    recorder: AttentionRecorder,
    prompts: Sequence[Prompt],
) -> tuple[AttentionRows, tuple[Layout, ...]]:
    """Run one batch of prompts and return its attention rows."""
    batch = model.collate(prompts)
    recorder.begin(batch)
    model.prefill(batch)
    return recorder.rows(), batch.grids


def measure_prompts(
    model: GenerativeModel, recorder: AttentionRecorder, prompts: Sequence[Prompt]
) -> tuple[list[Part], list[tuple[int, str]]]:
    """Measure a batch; where the processor refuses a prompt, measure them one by one.

    Returns:
        What was measured, in parts, and (place in ``prompts``, reason) of what was refused.
    """
    if not prompts:
        return [], []
    try:
        return [(list(range(len(prompts))), *measure_batch(model, recorder, prompts))], []
    except DataError as error:
        if len(prompts) == 1:
            return [], [(0, str(error))]
    parts: list[Part] = []
    refused: list[tuple[int, str]] = []
    for index, prompt in enumerate(prompts):
        single, reasons = measure_prompts(model, recorder, [prompt])
        parts += [([index], rows, layouts) for _, rows, layouts in single]
        refused += [(index, reason) for _, reason in reasons]
    return parts, refused


def store_rows(
    shard: ShardMeasurement,
    where: NDArray[np.int64],
    rows: AttentionRows,
    grids: Sequence[Layout],
) -> NDArray[np.float16]:
    """Fill a shard's arrays at ``where``; return the maps ``[batch, layer, token]``."""
    arrays = shard.arrays
    share = rows.image / rows.image.sum(dim=2, keepdim=True)
    strongest = share.topk(min(2, share.shape[2]), dim=2)
    arrays["entropy"][where] = image_entropy(rows.image, rows.counts).float().cpu().numpy()
    arrays["tokens"][where] = rows.counts.cpu().numpy()
    arrays["masses"][where] = rows.masses.cpu().numpy()
    arrays["peak_token"][where] = strongest.indices[:, :, 0].cpu().numpy()
    arrays["peak_mass"][where] = strongest.values[:, :, 0].float().cpu().numpy()
    arrays["top2_mass"][where] = strongest.values.sum(dim=2).float().cpu().numpy()
    arrays["state"][where] = rows.state.cpu().numpy()
    arrays["picture"][where] = rows.picture.cpu().numpy()
    arrays["layout"][where] = [shard.layouts.add(layout) for layout in grids]
    maps: NDArray[np.float16] = share.to(torch.float16).cpu().numpy()
    return maps


def read_prompts(
    samples: Sequence[Sample], rows: NDArray[np.int64]
) -> tuple[list[int], list[Prompt], list[tuple[int, str]]]:
    """Decode a batch; a sample one of whose images fails is named, the others go on."""
    kept: list[int] = []
    prompts: list[Prompt] = []
    failed: list[tuple[int, str]] = []
    for index, sample in enumerate(samples):
        try:
            if sample.image is None:
                raise DataError("The row has no image.")
            images = [open_image(image) for image in sample.images]
            prompts.append(prompt_of(sample, images))
            kept.append(index)
        except DataError as error:
            failed.append((int(rows[index]), str(error)))
    return kept, prompts, failed


def choose_maps(entropy: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Pick the samples of a shard whose maps are kept: the most collapsed ones first.

    Args:
        entropy: ``[n, layer]``; NaN rows are never chosen.
        count: How many at the most.

    Returns:
        Sorted indices into the shard.
    """
    usable = np.flatnonzero(np.isfinite(entropy).all(axis=1))
    if len(usable) <= count:
        return usable
    values = entropy[usable]
    below = (values - np.median(values, axis=0)).min(axis=1)
    return np.sort(usable[np.argsort(below, kind="stable")[:count]])

"""The arrays that a masked-views run leaves, as files; numpy only, so the UI reads them too."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from forensics.models.base import ImageGrid

ARRAYS, CELLS = "masked_views.safetensors", "cells.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewArrays:
    """Masked views of n samples, candidates before controls.

    A sample that could not be read has NaN divergences, no agreement and no mask.

    Attributes:
        rows: ``[n]`` int64, catalogue row of each sample.
        candidate: ``[n]`` bool; the others are controls.
        masks: ``[n, K, cell]`` bool, True = hidden; padded with cells that are never hidden.
        divergence: ``[n, K]`` float32 nats, original against view.
        agreement: ``[n, K]`` bool, whether the view keeps the answer.
        base_divergence: The same of the base model; ``None`` where it was not asked.
        base_agreement: The same of the base model; ``None`` where it was not asked.
    """

    rows: NDArray[np.int64]
    candidate: NDArray[np.bool_]
    masks: NDArray[np.bool_]
    divergence: NDArray[np.float32]
    agreement: NDArray[np.bool_]
    base_divergence: NDArray[np.float32] | None = None
    base_agreement: NDArray[np.bool_] | None = None

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """Name the arrays as the file does."""
        names = self.__slots__
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value is not None}


def empty_views(count: int, views: int) -> dict[str, NDArray[Any]]:
    """Make the arrays of a shard, all "not measured"."""
    return {
        "divergence": np.full((count, views), np.nan, dtype=np.float32),
        "agreement": np.zeros((count, views), dtype=np.bool_),
    }


def pad_masks(masks: Sequence[NDArray[np.bool_]], views: int) -> NDArray[np.bool_]:
    """Stack ``[K, cell]`` masks of different sizes; cells past a sample's own are never hidden."""
    width = max((mask.shape[1] for mask in masks), default=0)
    stacked = np.zeros((len(masks), views, width), dtype=np.bool_)
    for place, mask in enumerate(masks):
        stacked[place, :, : mask.shape[1]] = mask
    return stacked


def join_views(shards: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Put shards together in the order given; masks are padded to the widest."""
    joined = {
        name: np.concatenate([shard[name] for shard in shards])
        for name in ("divergence", "agreement")
    }
    views = joined["divergence"].shape[1]
    return {**joined, "masks": pad_masks([m for shard in shards for m in shard["masks"]], views)}


def grid_facts(cells: Sequence[ImageGrid]) -> list[dict[str, Any]]:
    """Return a sample's grids of cells as plain values."""
    return [asdict(grid) for grid in cells]


def load_views(folder: Path) -> ViewArrays:
    """Read the arrays of a finished run."""
    return ViewArrays(**load_file(folder / ARRAYS))


def load_cells(folder: Path) -> list[tuple[ImageGrid, ...]]:
    """Read each sample's grids of cells; empty where the sample could not be read."""
    content = json.loads((folder / CELLS).read_text(encoding="utf-8"))
    return [
        tuple(ImageGrid(**{**grid, "visible": tuple(grid["visible"])}) for grid in grids)
        for grids in content["cells"]
    ]

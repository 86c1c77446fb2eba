"""The arrays that an attention scan leaves, as files; numpy only, so that the UI reads them too."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from forensics.models.base import ImageGrid

ARRAYS, MAPS, GRID = "attention.safetensors", "maps.safetensors", "grid.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionArrays:
    """Measurements of n scanned samples, in catalogue order.

    A sample that could not be read has NaN in every float array and 0 in every integer array.

    Attributes:
        rows: ``[n]`` int64, catalogue row of each sample.
        entropy: ``[n, layer]`` float32 in nats; low = concentrated.
        tokens: ``[n]`` int32, image tokens.
        masses: ``[n, layer, head, 3]`` float16, attention on system, vision, user text.
        peak_token: ``[n, layer]`` int32, token with the most attention (head mean).
        peak_mass: ``[n, layer]`` float32, its share of the image row.
        top2_mass: ``[n, layer]`` float32, share of the two strongest tokens.
        state: ``[n, 64]`` float16, projection of the hidden state that predicts the first answer
            token.
        picture: ``[n, 64]`` float16, projection of the mean image token entering the decoder.
        visible: ``[n, 4]`` float32, part of the picture that the grid covers, as fractions
            (left, top, right, bottom).
    """

    rows: NDArray[np.int64]
    entropy: NDArray[np.float32]
    tokens: NDArray[np.int32]
    masses: NDArray[np.float16]
    peak_token: NDArray[np.int32]
    peak_mass: NDArray[np.float32]
    top2_mass: NDArray[np.float32]
    state: NDArray[np.float16]
    picture: NDArray[np.float16]
    visible: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionMaps:
    """Head-mean attention maps of some samples.

    Attributes:
        rows: ``[m]`` int64, catalogue row of each map.
        maps: ``[m, layer, token]`` float16; each row sums to 1.
    """

    rows: NDArray[np.int64]
    maps: NDArray[np.float16]


def arrays_to_dict(arrays: AttentionArrays | AttentionMaps) -> dict[str, NDArray[np.generic]]:
    """Name the arrays as the files do."""
    return {
        field.name: np.ascontiguousarray(getattr(arrays, field.name)) for field in fields(arrays)
    }


def join_shards(folder: Path, files: list[str]) -> tuple[AttentionArrays, AttentionMaps]:
    """Put the shards of a run together, in the order given."""
    shards = [load_file(folder / name) for name in files]

    def join(name: str, parts: list[dict[str, NDArray[Any]]]) -> NDArray[Any]:
        return np.concatenate([part[name] for part in parts])

    # A shard in which every image failed has maps of no tokens, which fit no other shard's.
    mapped = [shard for shard in shards if len(shard["map_rows"])] or shards[:1]
    return (
        AttentionArrays(**{f.name: join(f.name, shards) for f in fields(AttentionArrays)}),
        AttentionMaps(**{f.name: join(f"map_{f.name}", mapped) for f in fields(AttentionMaps)}),
    )


def flagged_first(maps: AttentionMaps, flagged: NDArray[np.int64], limit: int) -> AttentionMaps:
    """Keep at most ``limit`` maps, those of flagged catalogue rows before the others."""
    order = np.argsort(~np.isin(maps.rows, flagged), kind="stable")
    kept = np.sort(order[:limit])
    return AttentionMaps(rows=maps.rows[kept], maps=maps.maps[kept])


def save_scan(
    folder: Path, arrays: AttentionArrays, maps: AttentionMaps, grid: ImageGrid | None
) -> None:
    """Write a finished scan's arrays into its run folder, each file in one step."""
    for name, content in ((ARRAYS, arrays_to_dict(arrays)), (MAPS, arrays_to_dict(maps))):
        partial = folder / f".{name}.partial"
        save_file(content, partial)
        partial.replace(folder / name)
    (folder / GRID).write_text(json.dumps(asdict(grid) if grid else None), encoding="utf-8")


def load_arrays(folder: Path) -> AttentionArrays:
    """Read the measurements of a finished scan."""
    return AttentionArrays(**load_file(folder / ARRAYS))


def load_maps(folder: Path) -> AttentionMaps:
    """Read the maps of a finished scan."""
    return AttentionMaps(**load_file(folder / MAPS))


def load_grid(folder: Path) -> ImageGrid | None:
    """Read the grid of a finished scan; ``None`` if no sample could be scanned."""
    content = json.loads((folder / GRID).read_text(encoding="utf-8"))
    if content is None:
        return None
    return ImageGrid(**{**content, "visible": tuple(content["visible"])})

"""The arrays that an attention scan leaves, as files; numpy only, so that the UI reads them too."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from forensics.errors import CaseError
from forensics.jobs.attention.layouts import NONE, Layout, LayoutTable, save_layouts, unpack_layouts

ARRAYS, MAPS = "attention.safetensors", "maps.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionArrays:
    """Measurements of n scanned samples, in catalogue order.

    A sample that could not be read has NaN in every float array, 0 in every integer array and -1
    as its layout.

    Attributes:
        rows: ``[n]`` int64, catalogue row of each sample.
        entropy: ``[n, layer]`` float32 in nats; low = concentrated.
        tokens: ``[n]`` int32, image tokens.
        masses: ``[n, layer, head, 3]`` float16, attention on system, vision, user text.
        peak_token: ``[n, layer]`` int32, image token with the most attention (head mean), counted
            over all image tokens of the sample.
        peak_mass: ``[n, layer]`` float32, its share of the image row.
        top2_mass: ``[n, layer]`` float32, share of the two strongest tokens.
        state: ``[n, 64]`` float16, projection of the hidden state that predicts the first answer
            token.
        picture: ``[n, 64]`` float16, projection of the mean image token entering the decoder.
        layout: ``[n]`` int32, place of the sample's grids in ``layouts.json``, see
            :mod:`forensics.jobs.attention.layouts`.
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
    layout: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionMaps:
    """Head-mean attention maps of some samples.

    Attributes:
        rows: ``[m]`` int64, catalogue row of each map.
        maps: ``[m, layer, token]`` float16; each row sums to 1. Samples with fewer image tokens
            than the widest one have zeros behind them.
    """

    rows: NDArray[np.int64]
    maps: NDArray[np.float16]


def arrays_to_dict(arrays: AttentionArrays | AttentionMaps) -> dict[str, NDArray[np.generic]]:
    """Name the arrays as the files do."""
    return {
        field.name: np.ascontiguousarray(getattr(arrays, field.name)) for field in fields(arrays)
    }


def join_shards(
    folder: Path, files: list[str]
) -> tuple[AttentionArrays, AttentionMaps, tuple[Layout, ...]]:
    """Put the shards of a run together, in the order given."""
    shards = [load_file(folder / name) for name in files]
    layouts = _share_layouts(shards)

    def join(name: str) -> NDArray[Any]:
        return np.concatenate([shard[name] for shard in shards])

    maps = AttentionMaps(
        rows=join("map_rows"), maps=join_maps([shard["map_maps"] for shard in shards])
    )
    return (
        AttentionArrays(**{field.name: join(field.name) for field in fields(AttentionArrays)}),
        maps,
        layouts,
    )


def join_maps(parts: Sequence[NDArray[np.float16]]) -> NDArray[np.float16]:
    """Put maps ``[m, layer, token]`` of different widths together; zeros fill the narrow ones."""
    width = max(part.shape[2] for part in parts)
    return np.concatenate(
        [np.pad(part, ((0, 0), (0, 0), (0, width - part.shape[2]))) for part in parts]
    )


def _share_layouts(shards: list[dict[str, NDArray[Any]]]) -> tuple[Layout, ...]:
    """Number the shards' own layouts anew, the same for all."""
    table = LayoutTable()
    for shard in shards:
        places = [table.add(layout) for layout in unpack_layouts(shard["layouts"])]
        # A sample without a layout stays without: index -1 is the last entry.
        shard["layout"] = np.array([*places, NONE], dtype=np.int32)[shard["layout"]]
    return table.layouts


def flagged_first(maps: AttentionMaps, flagged: NDArray[np.int64], limit: int) -> AttentionMaps:
    """Keep at most ``limit`` maps, those of flagged catalogue rows before the others."""
    order = np.argsort(~np.isin(maps.rows, flagged), kind="stable")
    kept = np.sort(order[:limit])
    return AttentionMaps(rows=maps.rows[kept], maps=maps.maps[kept])


def save_scan(
    folder: Path, arrays: AttentionArrays, maps: AttentionMaps, layouts: Sequence[Layout]
) -> None:
    """Write a finished scan's arrays into its run folder, each file in one step."""
    for name, content in ((ARRAYS, arrays_to_dict(arrays)), (MAPS, arrays_to_dict(maps))):
        partial = folder / f".{name}.partial"
        save_file(content, partial)
        partial.replace(folder / name)
    save_layouts(folder, layouts)


def load_arrays(folder: Path) -> AttentionArrays:
    """Read the measurements of a finished scan.

    Raises:
        CaseError: An earlier version made them, or they are damaged.
        OSError: They are gone.
    """
    content = _load(folder / ARRAYS)
    if missing := {field.name for field in fields(AttentionArrays)} - content.keys():
        raise CaseError(
            f"The arrays of {folder.name} have no {', '.join(sorted(missing))}: an earlier "
            "version measured them.",
            remedy="Scan again.",
        )
    return AttentionArrays(**{f.name: content[f.name] for f in fields(AttentionArrays)})


def load_maps(folder: Path) -> AttentionMaps:
    """Read the maps of a finished scan.

    Raises:
        CaseError: They are damaged.
        OSError: They are gone.
    """
    return AttentionMaps(**_load(folder / MAPS))


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        content: dict[str, NDArray[Any]] = load_file(path)
    except SafetensorError as error:
        raise CaseError(
            f"{path.name} of {path.parent.name} is damaged: {error}.", remedy="Scan again."
        ) from error
    return content

"""The map of samples: its largest groups, and a drawing that needs no script."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import CaseError
from forensics.report.blocks import Block, Column, Map, Spots, Table
from forensics.report.reading import count, number, rows_of, short
from forensics.report.sections.context import Source, Told

ARRAYS: Final = "clusters.safetensors"
GROUPS: Final = 12
MARKED: Final = 5  # groups with a mark of their own
DRAWN: Final = 1500  # samples; more would make the page slow and say nothing more
_NOTE: Final = (
    "Near samples were alike in what they were compared by; distances between groups say little."
)


def tell(source: Source) -> Told:
    """Return the map, and what the samples of its largest groups share."""
    groups = rows_of(source.result.get("clusters"))
    large = sorted(groups, key=lambda row: -(count(row.get("size")) or 0))[:GROUPS]
    drawn = _map(source, large)
    blocks: tuple[Block, ...] = (*([drawn] if drawn else []), _table(source, groups, large))
    return Told(blocks=blocks)


def _table(source: Source, groups: list[Any], large: list[Any]) -> Table:
    return Table(
        key="groups", title="The largest groups of the map",
        columns=(
            Column(key="cluster", title="Group", kind="count"),
            Column(key="size", title="Samples", kind="count"),
            Column(key="answer", title="Most frequent answer or label"),
            Column(key="purity", title="Share that has it", kind="share"),
            Column(key="elsewhere", title="Share elsewhere", kind="share"),
        ),
        rows=tuple(
            (count(row.get("cluster")), count(row.get("size")), short(row.get("answer")),
             number(row.get("purity")), number(row.get("elsewhere")))
            for row in large
        ),
        note=f"{len(large)} of {len(groups)} groups; {count(source.result.get('noise')) or 0:,} "
        "samples lie in none.",
    )  # fmt: skip


def _map(source: Source, large: list[Any]) -> Map | None:
    """Return the map with the largest groups marked; ``None`` where its arrays are gone."""
    try:
        arrays = source.run.arrays(ARRAYS)
    except CaseError:
        return None
    xy, cluster = arrays.get("xy"), arrays.get("cluster")
    if xy is None or cluster is None or xy.ndim != 2 or len(xy) != len(cluster) or not len(xy):
        return None
    kept = _thinned(len(xy))
    places = _unit(np.asarray(xy, np.float64))[kept]
    named = np.asarray(cluster)[kept]
    groups, rest = [], np.ones(len(kept), dtype=np.bool_)
    for row in large[:MARKED]:
        inside = named == row.get("cluster")
        rest &= ~inside
        label = f"group {row.get('cluster')}, mostly {short(row.get('answer'), 40) or 'no answer'}"
        groups.append(Spots(label=label, places=_pairs(places[inside])))
    # Samples beyond the marked groups come last, with small marks.
    groups += [Spots(label="", places=())] * (MARKED - len(groups))
    groups.append(Spots(label="other samples", places=_pairs(places[rest])))
    note = _NOTE if len(kept) == len(xy) else f"{len(kept):,} of {len(xy):,} samples. {_NOTE}"
    return Map(key="map", title="Map of the samples", groups=tuple(groups), note=note)


def _thinned(n: int) -> NDArray[np.int64]:
    """Choose samples to draw, the same every time."""
    if n <= DRAWN:
        return np.arange(n, dtype=np.int64)
    return np.sort(np.random.default_rng(0).choice(n, DRAWN, replace=False)).astype(np.int64)


def _unit(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.nanmin(xy, axis=0), np.nanmax(xy, axis=0)
    scaled: NDArray[np.float64] = (xy - low) / np.where(high > low, high - low, 1.0)
    return np.nan_to_num(scaled)


def _pairs(places: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 3), round(float(y), 3)) for x, y in places)

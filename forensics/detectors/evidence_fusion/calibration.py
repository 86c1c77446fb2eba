"""Ranks of a suspected group among natural groups: of its own set, and of clean sets.

A channel's raw separation depends on the model, the questions and the size of the set. It is first
placed among the natural groups of the same set (median and spread of their logarithms), and that
place is ranked among the places of natural groups in clean sets: a table that the package holds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TABLE: Final = "calibration.json"
_NARROWEST: Final = 0.15  # of log(1 + separation)
_FEWEST: Final = 8  # natural groups of the own set; with fewer those of clean sets stand in


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanGroups:
    """How natural groups of clean sets stand apart.

    Attributes:
        channels: Names of the columns.
        places: ``[groups, channels]`` standardised among the other groups of their own set.
        middle: ``[channels]`` median of log(1 + separation).
        spread: ``[channels]`` its deviation.
        sets: Names of the sets.
    """

    channels: tuple[str, ...]
    places: Array
    middle: Array
    spread: Array
    sets: tuple[str, ...]


@cache
def clean_groups() -> Mapping[str, CleanGroups]:
    """Read the table that the package holds: ``within`` one kind of question, ``across`` several.

    It is made by ``python -m benchmarks.zoo.calibrate_fusion`` from development sets without
    poison; no set with a backdoor, and no set of a report, has a part in it.
    """
    text = (Path(__file__).parent / TABLE).read_text(encoding="utf-8")
    return read_table(json.loads(text))


def read_table(content: Mapping[str, Any]) -> dict[str, CleanGroups]:
    """Build the table from plain values."""
    return {
        mode: CleanGroups(
            channels=tuple(content["channels"]),
            places=np.array(part["places"], dtype=np.float64).reshape(-1, len(content["channels"])),
            middle=np.array(part["middle"], dtype=np.float64),
            spread=np.array(part["spread"], dtype=np.float64),
            sets=tuple(part["sets"]),
        )
        for mode, part in content["modes"].items()
    }


def place_among(values: Array, natural: Array, clean: CleanGroups | None) -> Array:
    """Standardise separations by those of natural groups of the same set.

    Args:
        values: ``[..., channels]`` separations >= 0.
        natural: ``[groups, channels]`` of the natural groups; if fewer than eight, ``clean`` stands
            in.
        clean: Natural groups of clean sets, of the same channels.
    """
    middle, spread = _scale(natural, clean)
    return np.asarray((np.log1p(values) - middle) / spread)


def places_of_each(natural: Array) -> Array:
    """Place each natural group among the others of its set, ``[groups, channels]``."""
    rest = [np.delete(natural, i, axis=0) for i in range(len(natural))]
    return np.stack([place_among(natural[i], rest[i], None) for i in range(len(natural))])


def _scale(natural: Array, clean: CleanGroups | None) -> tuple[Array, Array]:
    if len(natural) < _FEWEST and clean is not None:
        return clean.middle, np.maximum(clean.spread, _NARROWEST)
    logs = np.log1p(natural)
    return np.median(logs, axis=0), np.maximum(logs.std(axis=0), _NARROWEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedRank:
    """The maximum over channels of clean-calibrated ranks.

    Attributes:
        ranks: ``[channels]`` share of natural groups of clean sets that lie below, 0..1.
        maximum: The largest.
        p_value: Share of those groups whose own maximum is as large, never below 1 / (1 + groups).
    """

    ranks: Array
    maximum: float
    p_value: float


def fuse(places: Array, table: Array) -> FusedRank:
    """Rank places among those of clean sets, channel by channel, and judge the maximum.

    The null of the maximum comes from the same groups, each ranked among the others, so channels
    that go together are not counted twice. Beyond all of them the distance decides.

    Args:
        places: ``[channels]``.
        table: ``[groups, channels]``.
    """
    own = np.array([_statistic(row, np.delete(table, i, axis=0)) for i, row in enumerate(table)])
    reached = int((own >= _statistic(places, table)).sum())
    ranks = np.asarray((table < places).mean(axis=0))
    return FusedRank(
        ranks=ranks, maximum=float(ranks.max()), p_value=(1 + reached) / (1 + len(table))
    )


def _statistic(places: Array, table: Array) -> float:
    """Return the largest rank, 0..1; above 1 by how far a place lies beyond the whole table."""
    highest = np.maximum(table.max(axis=0), 1.0)
    return float(
        (table < places).mean(axis=0).max() + max(0.0, float((places / highest).max()) - 1)
    )


def columns_of(clean: CleanGroups, channels: Sequence[str]) -> CleanGroups:
    """Return the table of some channels, in the order given."""
    where = [clean.channels.index(name) for name in channels]
    return CleanGroups(
        channels=tuple(channels),
        places=clean.places[:, where],
        middle=clean.middle[where],
        spread=clean.spread[where],
        sets=clean.sets,
    )

"""What the Allocation panel shows of one finished attention-allocation run: pure functions.

All read the tables of the run folder (:func:`forensics.jobs.attention_allocation.tables
.load_tables`) and its ``result.json``; nothing is decided here. Sides are always ``kept`` and
``flagged``; masses always ``system``, ``vision``, ``text``; layers and heads count from 0.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import InputError
from forensics.runs.plain import plain

Tables = dict[str, NDArray[Any]]

SIDES: Final = ("kept", "flagged")
MASSES: Final = ("system", "vision", "text")
_CURVE_POINTS: Final = 200


def allocation_view(tables: Tables, result: dict[str, Any], shown: int = 50) -> dict[str, Any]:
    """Return the summary that the panel starts from.

    Args:
        tables: Of the run.
        result: Its ``result.json``.
        shown: Rows of the table of heads at most.

    Returns:
        ``mode``; ``verdict``, ``reason``, ``sentence``, ``not_covered``; ``n``, ``flagged``;
        ``modes`` (mode -> ``count``, ``verdict``, ``reason``); ``arrays_run`` (run whose scan was
        used); ``heads`` (:func:`ranked_heads`); ``heads_in_all``; ``grid`` (:func:`score_grid`);
        ``first`` (place of the head to show first, ``None`` without a split).
    """
    ranked = tables["ranked"]
    modes = {
        mode: {name: said[name] for name in ("count", "verdict", "reason")}
        for mode, said in result["modes"].items()
    }
    names = ("mode", "verdict", "reason", "sentence", "not_covered", "n", "flagged", "arrays_run")
    return _plain(
        {name: result[name] for name in names}
        | {
            "modes": modes,
            "heads": ranked_heads(tables, shown),
            "heads_in_all": tables["layer"].size,
            "grid": score_grid(tables),
            "first": _first(tables) if ranked.size else None,
        }
    )


def ranked_heads(tables: Tables, shown: int = 50) -> list[dict[str, Any]]:
    """Return the heads with a split, best separated first.

    Returns:
        Per head: ``rank`` (from 1), ``place`` (what the other views ask for), ``layer``, ``head``,
        ``components``, ``score`` (separation score, higher = further apart), ``minority`` (share
        0..1), ``clarity``, ``floor`` (clarity must exceed it; ``None`` where not tested),
        ``votes``.
    """
    voters = set(tables["voters"].tolist())
    rows = []
    for rank, place in enumerate(tables["ranked"][:shown].tolist(), start=1):
        row = {name: tables[name][place] for name in ("layer", "head", "score", "minority")}
        row |= {name: tables[name][place] for name in ("clarity", "floor")}
        row |= {"rank": rank, "place": place, "components": tables["order"][place]}
        rows.append(_plain(row | {"votes": place in voters}))
    return rows


def score_grid(tables: Tables) -> dict[str, Any]:
    """Return the separation scores as a picture of layers and heads.

    Returns:
        ``layers`` (list of layer numbers, top to bottom), ``heads`` (number of columns),
        ``log_score`` ``[layer][head]`` log10 of the separation score, ``None`` without a split;
        ``votes`` ``[layer][head]``; ``place`` ``[layer][head]``; ``range`` [lowest, highest] of
        ``log_score``.
    """
    layers, heads = np.unique(tables["layer"]), int(tables["head"].max()) + 1
    shape = (layers.size, heads)
    scores = np.full(shape, np.nan)
    votes, place = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=int)
    row = np.searchsorted(layers, tables["layer"])
    split = tables["score"] > 0
    scores[row[split], tables["head"][split]] = np.log10(tables["score"][split])
    votes[row[tables["voters"]], tables["head"][tables["voters"]]] = True
    place[row, tables["head"]] = np.arange(row.size)
    known = scores[np.isfinite(scores)]
    ends = [known.min(), known.max()] if known.size else [0.0, 1.0]
    return _plain(
        {
            "layers": layers,
            "heads": heads,
            "log_score": scores,
            "votes": votes,
            "place": place,
            "range": ends,
        }
    )


def head_histogram(tables: Tables, place: int) -> dict[str, Any]:
    """Return one head's histogram with its mixture and where it is split.

    Values are attention on the system part, 0..1; in mode ``guarded`` they are residuals within
    kinds of questions, in spreads.

    Args:
        tables: Of the run.
        place: Of the head, from :func:`ranked_heads` or :func:`score_grid`.

    Returns:
        ``layer``, ``head``; ``edges`` (49 values), ``kept`` and ``flagged`` (48 counts each);
        ``components``: ``weight``, ``mean``, ``sd`` in units of the values and ``side``
        (``minority``, ``majority``, ``none``); ``curve``: ``x``, ``minority``, ``majority`` as
        expected counts per bin (200 points; empty for a constant head); ``split``: value half way
        between the two neighbouring means at the gap, ``None`` without a split; ``score``,
        ``minority`` (share), ``clarity``, ``floor``.

    Raises:
        InputError: There is no such head.
    """
    if not 0 <= place < tables["layer"].size:
        raise InputError(f"There is no head {place}; places run to {tables['layer'].size - 1}.")
    low, span = float(tables["low"][place]), float(tables["span"][place])
    counts = tables["histogram"][place]
    edges = low + span * np.linspace(0.0, 1.0, counts.shape[1] + 1)
    parts = _components(tables, place)
    row = {name: tables[name][place] for name in ("layer", "head", "score", "minority")}
    row |= {name: tables[name][place] for name in ("clarity", "floor")}
    return _plain(
        row
        | dict(zip(SIDES, counts, strict=True))
        | {
            "edges": edges,
            "components": parts,
            "curve": _curve(parts, edges, int(counts.sum())) if span > 0 else _NO_CURVE,
            "split": _split(tables, place, parts),
        }
    )


def mass_means(tables: Tables, layer: int, head: int) -> dict[str, Any]:
    """Return where flagged and kept samples put one head's attention: two points of a triangle.

    Any layer and head of the model, not only those that may vote.

    Returns:
        ``layer``, ``head``, ``kept`` and ``flagged``: ``system``, ``vision``, ``text`` (they sum
        to 1), ``None`` for a side without samples.

    Raises:
        InputError: There is no such head.
    """
    means = tables["mass_means"]
    if not (0 <= layer < means.shape[0] and 0 <= head < means.shape[1]):
        raise InputError(f"There is no head {head} in layer {layer}.")
    found: dict[str, Any] = {"layer": layer, "head": head}
    for side, values in zip(SIDES, means[layer, head], strict=True):
        known = bool(np.isfinite(values).all())
        found[side] = dict(zip(MASSES, values.tolist(), strict=True)) if known else None
    return _plain(found)


_NO_CURVE: Final[dict[str, list[float]]] = {"x": [], "minority": [], "majority": []}


def _first(tables: Tables) -> int:
    voters = tables["voters"]
    return int(voters[0] if voters.size else tables["ranked"][0])


def _components(tables: Tables, place: int) -> list[dict[str, Any]]:
    """Return a head's Gaussians in units of the values, lowest first, with their side."""
    low, span, gap = (tables[name][place] for name in ("low", "span", "gap"))
    parts = []
    for i in range(int(tables["order"][place])):
        is_minority = (i < gap) == bool(tables["minority_low"][place])
        side = ("minority" if is_minority else "majority") if gap else "none"
        parts.append(
            {
                "weight": float(tables["weights"][place, i]),
                "mean": float(low + span * tables["means"][place, i]),
                "sd": float(span * tables["sigmas"][place, i]),
                "side": side,
            }
        )
    return parts


def _curve(parts: list[dict[str, Any]], edges: NDArray[Any], samples: int) -> dict[str, Any]:
    """Return the expected counts per bin of either side; all is majority without a split."""
    x = np.linspace(edges[0], edges[-1], _CURVE_POINTS)
    scale = samples * float(edges[1] - edges[0])
    sums = {"minority": np.zeros(x.size), "majority": np.zeros(x.size)}
    for part in parts:
        side = "minority" if part["side"] == "minority" else "majority"
        height = part["weight"] / (part["sd"] * np.sqrt(2 * np.pi))
        sums[side] += scale * height * np.exp(-0.5 * ((x - part["mean"]) / part["sd"]) ** 2)
    return {"x": x} | sums


def _split(tables: Tables, place: int, parts: list[dict[str, Any]]) -> float | None:
    gap = int(tables["gap"][place])
    return (parts[gap - 1]["mean"] + parts[gap]["mean"]) / 2 if gap else None


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Return the view as JSON knows it: numbers of Python, ``None`` for NaN."""
    found: dict[str, Any] = plain(value)
    return found

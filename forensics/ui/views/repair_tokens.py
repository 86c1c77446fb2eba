"""The pairs that a token unlearning singled out: what of each caption and picture was unlearnt."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import CaseError
from forensics.runs import Run
from forensics.runs.plain import plain
from forensics.ui.views.gallery import short

LARGEST_PAGE = 24
FIGURES = "figures"


def tokens_view(
    case: Case, run: Run, start: int, most: int, address: Callable[[int], str | None]
) -> dict[str, Any]:
    """Return some of the pairs, the most suspicious first.

    Args:
        case: Tells the rows of pairs of its own.
        run: A finished token unlearning.
        start: First pair.
        most: At most so many.
        address: Row -> where the picture is served.

    Returns:
        ``total``, ``word`` (that the captions share, or ``None``), ``agreement``, ``largest``
        (largest weight of a token among all), ``pairs``: ``id``, ``caption``, ``similarity``,
        ``gain``, ``tokens`` (``text``, ``importance``, ``kept``), ``picture`` and ``patches``
        (``rows``, ``columns``, ``values``; ``None`` where they were not weighed); ``truth``.
    """
    result = run.result()
    chosen = list(result.get("chosen") or ())
    grids = _grids(run, result)
    first = max(0, start)
    shown = chosen[first : first + min(max(1, most), LARGEST_PAGE)]
    shortcut = result.get("shortcut") or {}
    weights = [t["importance"] for pair in chosen for t in pair["tokens"]]
    view: dict[str, Any] = plain({
        "total": len(chosen),
        "word": short(shortcut.get("word")),
        "agreement": shortcut.get("agreement"),
        "largest": max((w for w in weights if w is not None), default=0.0),
        "pairs": [_pair(case, pair, grids, first + k, address) for k, pair in enumerate(shown)],
    })  # fmt: skip
    return view


def _pair(
    case: Case, pair: dict[str, Any], grids: NDArray[np.float32] | None, place: int,
    address: Callable[[int], str | None],
) -> dict[str, Any]:  # fmt: skip
    row = _row(case, str(pair["id"]))
    grid = grids[place] if grids is not None and place < len(grids) else None
    return {
        "id": short(str(pair["id"])),
        "caption": short(str(pair["caption"])),
        "similarity": pair.get("similarity"),
        "gain": pair.get("gain"),
        "tokens": [{**token, "text": short(str(token["text"]))} for token in pair["tokens"]],
        "row": row,
        "picture": None if row is None else address(row),
        "patches": None if grid is None else {
            "rows": grid.shape[0], "columns": grid.shape[1], "values": grid.ravel()},
    }  # fmt: skip


def _row(case: Case, sample_id: str) -> int | None:
    """Return the row of a pair; ``None`` where the pairs are not the case's own."""
    try:
        return int(case.catalog.index(sample_id))
    except CaseError:
        return None


def _grids(run: Run, result: dict[str, Any]) -> NDArray[np.float32] | None:
    name = str(result.get(FIGURES) or "")
    if not name or not run.path(name).is_file():
        return None
    found = run.arrays(name).get("patches")
    return None if found is None or found.ndim != 3 else np.asarray(found, np.float32)

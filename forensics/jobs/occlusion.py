"""A small request that a warm worker answers: what one sample's answer depends on."""

import threading
from collections import OrderedDict
from dataclasses import asdict
from typing import Any

from forensics.case import Case
from forensics.detectors.masked_views.comparison import SMALLEST_EFFECT, describe_sample
from forensics.detectors.masked_views.measures import hottest, measure_views, occlusion_map
from forensics.detectors.options.masked_views import MaskedViewsOptions
from forensics.detectors.wording import place
from forensics.errors import OptionError
from forensics.jobs.masked_views.measure import SampleViews, measure_views_of, read_prompt
from forensics.jobs.subject import model_under_suspicion
from forensics.models.base import ImageGrid
from forensics.options import build_options
from forensics.runs.plain import plain
from forensics.worker.models import ModelCache

# A map of single cells needs more views than the measures do: each cell is hidden in a quarter.
VIEWS, FEWEST, MOST = 64, 16, 512
KEPT = 128

_kept: OrderedDict[tuple[Any, ...], dict[str, Any]] = OrderedDict()
_lock = threading.Lock()


def occlusion(case: Case, params: dict[str, Any], models: ModelCache) -> dict[str, Any]:
    """Map what one sample's answer depends on, from masked views of its picture.

    The replies of the last samples are kept in memory; masks are seeded, so asking again changes
    nothing.

    Args:
        case: The case.
        params: ``sample`` (id); optionally ``views`` (16..512), ``share``, ``cell`` and ``seed`` as
            in :class:`forensics.detectors.options.masked_views.MaskedViewsOptions`.
        models: The worker's models.

    Returns:
        ``cells`` (a grid for each picture), ``map`` (nats for each cell, ``None`` where unknown),
        ``peak`` (image, row, column, place; or ``None`` where no cell matters), ``peak_share``,
        ``agreement``, ``kept`` of ``views``, ``spread``, ``invariance``, ``divergence`` and
        ``agreed`` of each view, ``share`` and a ``sentence``.

    Raises:
        DataError: The sample has no picture that can be read.
        ModelError: The family's pictures cannot be masked.
        OptionError: A parameter is out of range.
    """
    if params.get("hide"):
        raise OptionError("The map is made of the picture as it was given, with nothing hidden.")
    options = _options(params)
    sample_id, uri = str(params.get("sample", "")), model_under_suspicion(case)
    key = (str(case.folder), uri, sample_id, options)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    prompt = read_prompt(case.catalog.sample(sample_id))
    reply = _reply(measure_views_of(models.get(uri), prompt, sample_id, options), options)
    with _lock:
        _kept[key] = reply
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return reply


def _options(params: dict[str, Any]) -> MaskedViewsOptions:
    names = ("views", "share", "cell", "seed")
    given = {name: params[name] for name in names if params.get(name) is not None}
    options = build_options(MaskedViewsOptions, {"views": VIEWS, **given})
    if not FEWEST <= options.views <= MOST:
        raise OptionError(f"A map takes {FEWEST} to {MOST} views, not {options.views}.")
    return options


def _reply(views: SampleViews, options: MaskedViewsOptions) -> dict[str, Any]:
    occluded = occlusion_map(views.divergence, views.masks)
    measures = measure_views(views.divergence[None], views.agreement[None], views.masks[None])
    cell, share = hottest(occluded)
    matters = cell >= 0 and occluded[cell] >= SMALLEST_EFFECT
    peak = _locate(views.cells, cell) if matters else None
    facts = {
        "views": options.views,
        "kept": int(views.agreement.sum()),
        "peak_share": share,
        "place": peak["place"] if peak else None,
    }
    reply: dict[str, Any] = plain(
        {
            "cells": [asdict(grid) for grid in views.cells],
            "map": occluded,
            "peak": peak,
            "peak_share": share,
            "agreement": float(measures.agreement[0]),
            "kept": facts["kept"],
            "views": options.views,
            "share": options.share,
            "spread": float(measures.spread[0]),
            "invariance": float(measures.invariance[0]),
            "divergence": views.divergence,
            "agreed": views.agreement,
            "sentence": describe_sample(facts),
        }
    )
    return reply


def _locate(cells: tuple[ImageGrid, ...], cell: int) -> dict[str, Any]:
    """Say in which picture and where a cell lies."""
    for grid in cells:
        if cell < grid.tokens:
            row, column = divmod(cell, grid.columns)
            words = place(row, column, grid.rows, grid.columns)
            where = words if len(cells) == 1 else f"{words} of picture {grid.image + 1}"
            return {"image": grid.image, "row": row, "column": column, "place": where}
        cell -= grid.tokens
    raise ValueError("the cell lies in no picture")

"""The job behind ``scan masked-views``: what answers depend on, candidates against controls.

Samples come in shards, those of the base model after those of the model under suspicion, so that
each model is loaded once and a stopped run goes on where it was.
"""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.options.masked_views import MaskedViewsOptions
from forensics.errors import DataError, JobFailed
from forensics.jobs.flagging import latest_flags
from forensics.jobs.masked_views.arrays import (
    ARRAYS,
    CELLS,
    ViewArrays,
    empty_views,
    grid_facts,
    join_views,
    pad_masks,
)
from forensics.jobs.masked_views.candidates import Chosen, choose_samples
from forensics.jobs.masked_views.measure import measure_views_of, read_prompt
from forensics.jobs.masked_views.result import conclude
from forensics.jobs.subject import model_under_suspicion
from forensics.models.base import GenerativeModel
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.runs.choices import keep_choice
from forensics.worker.models import ModelCache

SAMPLES_PER_SHARD = 8


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Show masked views of a scan's candidates and of random controls to the case's model.

    Raises:
        CaseError: No scan flagged anything.
        JobFailed: No sample could be read.
        Cancelled: The user asked to stop; finished shards stay.
    """
    chosen = build_options(MaskedViewsOptions, options)
    started = time.monotonic()
    samples = choose_samples(
        case,
        run_id=chosen.run or keep_choice(context.folder, "scan", lambda: latest_flags(case)),
        max_candidates=chosen.max_candidates,
        controls=chosen.controls,
        seed=chosen.seed,
    )
    asked = _models(case, chosen)
    for turn, uri in enumerate(asked):
        _measure_all(case, context, models.get(uri), samples.rows, chosen, (turn, len(asked)))
    count = len(asked) * len(samples.rows)
    context.progress(count, count, "comparing")
    arrays, failed = _collect(context, samples, len(asked))
    if not np.isfinite(arrays.divergence).any():
        raise JobFailed("No sample could be read.", remedy="See the row errors of the run.")
    result = conclude(case, context, arrays, samples, chosen, failed)
    seconds = time.monotonic() - started
    return {
        **result,
        "models": asked,
        "seconds": round(seconds, 3),
        "samples_per_second": round(count / seconds, 2),
    }


def _models(case: Case, options: MaskedViewsOptions) -> list[str]:
    """Name the model under suspicion and, where it is wanted and there, its base."""
    subject, base = model_under_suspicion(case), case.manifest.base
    return [subject, base] if options.base and base and base != subject else [subject]


def _measure_all(
    case: Case,
    context: RunContext,
    model: GenerativeModel,
    rows: NDArray[np.int64],
    options: MaskedViewsOptions,
    turn: tuple[int, int],
) -> None:
    """Measure every shard of one model that is not finished yet."""
    finished = context.finished_shards()
    # A batch size that memory forced on an earlier attempt holds for this one as well.
    size = min([options.batch_size, *(entry["batch_size"] for entry in finished.values())])
    before, total = turn[0] * len(rows), turn[1] * len(rows)
    first = turn[0] * _shards(len(rows))
    for index, start in enumerate(range(0, len(rows), SAMPLES_PER_SHARD), start=first):
        part = rows[start : start + SAMPLES_PER_SHARD]
        if index not in finished:
            context.progress(before + start, total, "masking")
            arrays, facts = _measure_shard(case, context, model, part, options, size)
            size = facts["batch_size"]
            for row, reason in facts["failed"]:
                context.event("row_failed", row=row, reason=reason)
            place = before + start
            context.commit_shard(index, arrays, start=place, stop=place + len(part), **facts)
        context.progress(before + start + len(part), total, "masking")


def _measure_shard(
    case: Case,
    context: RunContext,
    model: GenerativeModel,
    rows: NDArray[np.int64],
    options: MaskedViewsOptions,
    size: int,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    arrays = empty_views(len(rows), options.views)
    masks = [np.zeros((options.views, 0), dtype=np.bool_)] * len(rows)
    cells: list[list[dict[str, Any]]] = [[] for _ in rows]
    failed: list[tuple[int, str]] = []
    for place, sample in enumerate(case.catalog.select(rows)):
        context.check_cancelled()
        try:
            prompt = read_prompt(sample)
        except DataError as error:
            failed.append((int(rows[place]), str(error)))
            continue
        views = measure_views_of(model, prompt, sample.id, options, batch_size=size)
        size = views.batch_size
        arrays["divergence"][place], arrays["agreement"][place] = views.divergence, views.agreement
        masks[place], cells[place] = views.masks, grid_facts(views.cells)
    arrays["masks"] = pad_masks(masks, options.views)
    return arrays, {"batch_size": size, "failed": failed, "cells": cells}


def _collect(
    context: RunContext, samples: Chosen, models: int
) -> tuple[ViewArrays, list[tuple[int, str]]]:
    """Join the shards of each model; write the arrays and the grids of cells."""
    ledger, each = context.finished_shards(), _shards(len(samples.rows))
    joined = [
        join_views([context.load_shard(index) for index in range(turn * each, (turn + 1) * each)])
        for turn in range(models)
    ]
    base = joined[1] if models > 1 else {}
    arrays = ViewArrays(
        rows=samples.rows,
        candidate=samples.candidate,
        masks=joined[0]["masks"],
        divergence=joined[0]["divergence"],
        agreement=joined[0]["agreement"],
        base_divergence=base.get("divergence"),
        base_agreement=base.get("agreement"),
    )
    context.save_arrays(ARRAYS, arrays.to_dict())
    cells = [grids for index in range(each) for grids in ledger[index]["cells"]]
    context.save_json(CELLS, {"cells": cells})
    failed = [(int(row), why) for index in range(each) for row, why in ledger[index]["failed"]]
    return arrays, failed


def _shards(samples: int) -> int:
    return -(-samples // SAMPLES_PER_SHARD)

"""From the arrays of a masked-views run to its table and result.json; no model, no torch."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.masked_views.comparison import (
    READING,
    compare_views,
    describe_comparisons,
    rank_among,
)
from forensics.detectors.masked_views.measures import MEASURES, ViewMeasures, measure_views
from forensics.detectors.options.masked_views import MaskedViewsOptions
from forensics.jobs.masked_views.arrays import ARRAYS, ViewArrays
from forensics.jobs.masked_views.candidates import Chosen
from forensics.runs import RunContext
from forensics.statistics.ranks import compare_ranks

TABLE = "masked_views.parquet"
NOT_COVERED = (
    "triggers in the text alone: masks touch the picture only",
    "samples that no scan flagged, apart from the controls",
    "questions that need no picture, whose answers are just as stable",
)


def conclude(
    case: Case,
    context: RunContext,
    arrays: ViewArrays,
    samples: Chosen,
    options: MaskedViewsOptions,
    failed: Sequence[tuple[int, str]],
) -> dict[str, Any]:
    """Write the table; return the content of ``result.json``.

    The diagnostic ranks and gives no verdict: ``verdict`` is null and nothing is flagged.
    """
    measures, base = measure_arrays(arrays)
    images = case.catalog.picture_names[arrays.rows].astype(str)
    comparisons = compare_views(measures, arrays.candidate, images, base=base, seed=options.seed)
    context.save_bytes(TABLE, _table(case, arrays, measures, base))
    return {
        "method": "masked-views",
        "verdict": None,
        "reason": "ranks-only",
        "sentence": describe_comparisons(comparisons),
        "reading": READING,
        "not_covered": list(NOT_COVERED),
        "candidates_from": samples.run,
        "flagged_there": samples.flagged,
        "n": len(arrays.rows),
        "candidates": int(arrays.candidate.sum()),
        "controls": int((~arrays.candidate).sum()),
        "failed": len(failed),
        "failures": [{"row": row, "reason": reason} for row, reason in failed[:100]],
        "flagged": 0,
        "views": options.views,
        "share": options.share,
        "against_base": base is not None,
        "comparisons": [comparison.to_dict() for comparison in comparisons],
        "files": [ARRAYS, TABLE],
        **score_against_truth(case, arrays, measures, images, options.seed),
    }


def measure_arrays(arrays: ViewArrays) -> tuple[ViewMeasures, ViewMeasures | None]:
    """Measure the model under suspicion and, where it was asked, its base."""
    measures = measure_views(arrays.divergence, arrays.agreement, arrays.masks)
    if arrays.base_divergence is None or arrays.base_agreement is None:
        return measures, None
    base = measure_views(arrays.base_divergence, arrays.base_agreement, arrays.masks)
    return measures, base


def score_against_truth(
    case: Case,
    arrays: ViewArrays,
    measures: ViewMeasures,
    images: NDArray[np.str_],
    seed: int,
) -> dict[str, Any]:
    """Say how well each measure ranks poisoned samples above others, where the data says which.

    The ground truth reaches this function alone.
    """
    if not case.has_truth:
        return {}
    known = case.truth()
    names = case.catalog.ids[arrays.rows]
    told = np.array([name in known for name in names])
    poisoned = np.array([known.get(name, False) for name in names], dtype=np.bool_)
    rankings = {
        name: compare_ranks(
            np.where(told, getattr(measures, name), np.nan), poisoned, images, seed=seed
        )
        for name in MEASURES
    }
    return {
        "auc_of_poisoned": {
            name: {"auc": ranking.auc, "interval": list(ranking.interval)}
            for name, ranking in rankings.items()
        },
        "poisoned": int(poisoned.sum()),
    }


def _table(
    case: Case, arrays: ViewArrays, measures: ViewMeasures, base: ViewMeasures | None
) -> bytes:
    columns: dict[str, Any] = {
        "row": arrays.rows,
        "id": pa.array(case.catalog.ids[arrays.rows], pa.string()),
        "candidate": arrays.candidate,
    }
    for name in MEASURES:
        values = getattr(measures, name)
        columns[name] = values
        columns[f"{name}_rank"] = rank_among(values, arrays.candidate)
        if base is not None:
            columns[f"{name}_base"] = getattr(base, name)
    columns["peak_cell"] = measures.peak_cell
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()

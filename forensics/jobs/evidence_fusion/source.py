"""What evidence fusion reads of a case: arrays of a scan, questions, answers, masked views."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.evidence_fusion.candidates import host_questions
from forensics.detectors.evidence_fusion.measures import FusionInput
from forensics.detectors.masked_views.measures import MEASURES, measure_views
from forensics.detectors.strata import stratify
from forensics.jobs.masked_views.arrays import ARRAYS as VIEWS
from forensics.jobs.masked_views.arrays import load_views
from forensics.runs import State


def fusion_input(case: Case, arrays: Mapping[str, NDArray[Any]]) -> FusionInput:
    """Put together what the decision reads; the ground truth is no part of it.

    Args:
        case: The case.
        arrays: Of a scan, by name (``attention.safetensors``).
    """
    rows = arrays["rows"]
    questions = host_questions([str(question) for question in case.catalog.questions[rows]])
    return FusionInput(
        entropy=arrays["entropy"],
        masses=arrays["masses"],
        state=arrays["state"],
        picture=arrays["picture"],
        answers=list(case.catalog.answers[rows]),
        strata=stratify(questions, arrays["tokens"]),
        occlusion=occlusion_of(case, rows),
    )


def occlusion_of(case: Case, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the measures of the latest masked views, ``[n, measures]``; NaN where not covered."""
    for run in case.runs("masked-views"):
        if run.status().state is State.FINISHED and run.path(VIEWS).is_file():
            views = load_views(run.folder)
            found = measure_views(views.divergence, views.agreement, views.masks)
            table = np.full((len(rows), len(MEASURES)), np.nan)
            place = np.searchsorted(rows, views.rows)
            inside = place < len(rows)
            inside[inside] = rows[place[inside]] == views.rows[inside]
            columns = [getattr(found, name)[inside] for name in MEASURES]
            table[place[inside]] = np.stack(columns, axis=1)
            return table
    return None

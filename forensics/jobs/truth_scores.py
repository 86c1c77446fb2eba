"""Flags of several modes against the ground truth of a case, beside the counting baseline."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.attention_entropy.scoring import flag_odd_answer, score_flags


def score_modes(
    case: Case,
    rows: NDArray[np.int64],
    scanned: NDArray[np.bool_],
    flags: Mapping[str, NDArray[np.bool_]],
    chosen: str,
) -> dict[str, Any]:
    """Score flags where the data says what is poisoned.

    The ground truth reaches this function alone: no flag depends on it.

    Args:
        case: The case.
        rows: ``[n]`` catalogue rows.
        scanned: ``[n]``; the others do not count.
        flags: ``[n]`` per mode.
        chosen: The mode whose figures stand at the top.

    Returns:
        ``precision``, ``recall``, ``f1``, ``scores`` per mode and ``answers_only``; nothing where
        there is no truth.
    """
    if not case.has_truth:
        return {}
    known = case.truth()
    ids = case.catalog.ids[rows]
    images = case.catalog.picture_names[rows]
    counted = np.array([name in known for name in ids], dtype=bool) & scanned
    truth = np.array([known.get(name, False) for name in ids], dtype=bool)[counted]
    groups = np.unique(images[counted].astype(str), return_inverse=True)[1]
    scores = {
        mode: score_flags(flagged[counted], truth, groups).to_dict()
        for mode, flagged in flags.items()
    }
    odd, answer = flag_odd_answer(
        list(case.catalog.answers[rows]), list(case.catalog.questions[rows])
    )
    top = {key: scores[chosen][key] for key in ("precision", "recall", "f1")}
    baseline = {**score_flags(odd[counted], truth, groups).to_dict(), "answer": answer}
    return {**top, "scores": scores, "answers_only": baseline}

"""Arrays as the browser reads them: little-endian, a header of two uint32, then the values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def entropy_bytes(rows: NDArray[np.int64], values: NDArray[Any]) -> bytes:
    """Pack ``n, layers | rows int32[n] | entropy float32[n, layers]``."""
    header = np.array(values.shape, dtype="<u4")
    return header.tobytes() + rows.astype("<i4").tobytes() + values.astype("<f4").tobytes()


def score_bytes(
    score: NDArray[Any], flagged: NDArray[np.bool_], eligible: NDArray[np.bool_] | None = None
) -> bytes:
    """Pack ``n, scored | score float32[n] | marks uint8[n]``; ``scored`` is 0 without a score.

    Marks: 1 flagged, 2 never flagged, however low its score.
    """
    marks = flagged.astype("u1")
    if eligible is not None:
        marks |= (~eligible).astype("u1") << 1
    header = np.array([score.size, int(np.isfinite(score).any())], dtype="<u4")
    return header.tobytes() + score.astype("<f4").tobytes() + marks.tobytes()

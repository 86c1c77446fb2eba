"""Colours of the points on a map: a small code per point, and a legend that says what it means."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.ui.sample_map import TextColumn
from forensics.ui.views.gallery import short

MOST: Final = 12  # kinds with a colour and a shape of their own
OTHER: Final = 254
NOTHING: Final = 255

Codes = NDArray[np.uint8]
Legend = list[dict[str, Any]]


def text_codes(column: TextColumn, nothing: str) -> tuple[Codes, Legend]:
    """Give the commonest texts codes of their own, the rest one together.

    Args:
        column: Texts of ``n`` points.
        nothing: What a point without a text is called.

    Returns:
        ``[n]`` codes, and a legend of ``code``, ``label``, ``count`` in the order to show.
    """
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.texts))
    order = np.argsort(-counts, kind="stable")[:MOST]  # texts are sorted: ties in their order
    code_of = np.full(len(column.texts) + 1, OTHER, dtype=np.uint8)
    code_of[order] = np.arange(order.size)
    code_of[-1] = NOTHING  # -1, no text, is the last entry
    codes = code_of[column.codes]
    names = {code: short(column.texts[i]) or "(empty)" for code, i in enumerate(order)}
    return codes, _legend(codes, names, nothing, max(0, len(column.texts) - MOST))


def cluster_codes(cluster: NDArray[np.int32]) -> tuple[Codes, Legend]:
    """Give the largest groups codes of their own; samples in none have no value."""
    codes = np.where(cluster < 0, NOTHING, np.where(cluster < MOST, cluster, OTHER))
    groups = int(cluster.max(initial=-1)) + 1
    names = {code: f"group {code}" for code in range(min(MOST, groups))}
    codes = codes.astype(np.uint8)
    return codes, _legend(codes, names, "in no group", max(0, groups - MOST))


def flag_codes(
    rows: NDArray[np.int64], read: NDArray[np.int64], flagged: NDArray[np.int64]
) -> Codes:  # fmt: skip
    """Say which points a run flags: 1 flagged, 0 kept, 255 not looked at.

    Args:
        rows: ``[n]`` catalogue rows of the points.
        read: Rows that the run looked at.
        flagged: Rows that it flags.
    """
    codes = np.full(rows.size, NOTHING, dtype=np.uint8)
    codes[np.isin(rows, read)] = 0
    codes[np.isin(rows, flagged)] = 1
    return codes


def two_legend(codes: Codes, yes: str, no: str, nothing: str) -> Legend:
    """Return the legend of codes 1 and 0."""
    return _legend(codes, {1: yes, 0: no}, nothing, 0)


def code_bytes(codes: Codes) -> bytes:
    """Pack ``n | code uint8[n]``."""
    return np.array([codes.size], dtype="<u4").tobytes() + codes.tobytes()


def _legend(codes: Codes, names: dict[int, str], nothing: str, others: int) -> Legend:
    lines = [{"code": code, "label": label, "count": int((codes == code).sum())}
             for code, label in names.items()]  # fmt: skip
    if others:
        label = f"{others:,} more" if others > 1 else "1 more"
        lines.append({"code": OTHER, "label": label, "count": int((codes == OTHER).sum())})
    rest = int((codes == NOTHING).sum())
    return [*lines, {"code": NOTHING, "label": nothing, "count": rest}] if rest else lines

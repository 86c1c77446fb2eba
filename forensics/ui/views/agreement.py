"""Which samples several methods flag: sets of methods, their sizes, and a sentence about them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_METHODS = 32  # bits of a mask
MOST_SETS = 12  # drawn; what is beyond is told as a number


def flag_masks(size: int, flagged: Sequence[NDArray[np.int64]]) -> NDArray[np.uint32]:
    """Return one bit per method for every row of the catalogue.

    Args:
        size: Rows of the catalogue.
        flagged: Rows that each method flags.

    Returns:
        ``[size]``; bit i is set where method i flags the row.
    """
    masks = np.zeros(size, dtype=np.uint32)
    for bit, rows in enumerate(flagged[:MOST_METHODS]):
        masks[rows] |= np.uint32(1 << bit)
    return masks


def agreement_view(
    labels: Sequence[str], names: Sequence[str], masks: NDArray[np.uint32]
) -> dict[str, Any]:
    """Return the sets of samples that the same methods flag, largest first.

    Args:
        labels: Methods as a person reads them.
        names: Their names in the registry, in the order of the bits.
        masks: See :func:`flag_masks`.

    Returns:
        ``methods`` (``name``, ``label``, ``flagged``), ``sets`` (``mask``, ``count``; every sample
        is in exactly one, those that nobody flags in none), ``further`` (samples in sets that are
        not listed), ``any`` and ``several`` (samples flagged at all, and by more than one method),
        ``sentence``.
    """
    kinds, counts = np.unique(masks[masks > 0], return_counts=True)
    order = sorted(range(kinds.size), key=lambda i: (-int(counts[i]), int(kinds[i])))
    sets = [{"mask": int(kinds[i]), "count": int(counts[i])} for i in order]
    several = sum(s["count"] for s in sets if s["mask"].bit_count() > 1)
    flagged = [int((masks & np.uint32(1 << bit) > 0).sum()) for bit in range(len(names))]
    return {
        "methods": [
            {"name": name, "label": label, "flagged": count}
            for name, label, count in zip(names, labels, flagged, strict=True)
        ],
        "sets": sets[:MOST_SETS],
        "further": sum(s["count"] for s in sets[MOST_SETS:]),
        "any": int((masks > 0).sum()),
        "several": several,
        "sentence": _sentence(len(names), int((masks > 0).sum()), several),
    }


def mask_bytes(masks: NDArray[np.uint32]) -> bytes:
    """Pack ``n | mask uint32[n]`` in the order of the catalogue."""
    return np.array([masks.size], dtype="<u4").tobytes() + masks.astype("<u4").tobytes()


def _sentence(methods: int, flagged: int, several: int) -> str:
    if methods < 2:
        return "Run a second method to see whether they agree."
    if not flagged:
        return f"None of the {methods} methods flags a sample."
    if not several:
        return f"No sample is flagged by more than one of the {methods} methods."
    few = "both" if methods == 2 else "more than one method"
    return f"{several:,} of {flagged:,} flagged samples are flagged by {few}."

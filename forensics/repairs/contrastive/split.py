"""Stage A of UBT (reconstruction): pairs whose caption does not match are suspicious.

Source: arXiv 2403.16257 states a priority of weak similarity; that the lowest 2,000 of 500,000 are
taken is in the group's code (``backdoor_isolation_ori.py``). The rest is our reading.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.errors import DataError
from forensics.repairs.contrastive.options import SplitOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which pairs are suspicious, and which are taken for benign.

    Attributes:
        cosines: ``[n]`` under the reference; ``nan`` for an unreadable pair.
        suspicious: Indices, the least similar first.
        benign: Indices, the least similar first; none is suspicious.
    """

    cosines: NDArray[np.float32]
    suspicious: NDArray[np.int64]
    benign: NDArray[np.int64]


def split_pairs(cosines: NDArray[np.float32], options: SplitOptions) -> Split:
    """Split pairs by their similarity under the reference.

    Args:
        cosines: ``[n]``, ``nan`` where a pair cannot be read.
        options: ``pool_least``, ``pool_share``, ``benign`` are read.

    Raises:
        DataError: Fewer than four pairs can be read.
    """
    order = np.argsort(cosines, kind="stable")
    order = order[: int(np.isfinite(cosines).sum())]  # nan is sorted to the end
    count = len(order)
    if count < 4:
        raise DataError(
            f"Only {count} of {len(cosines)} pairs can be read: there is nothing to split.",
            remedy="Give the pairs of picture and caption that the model was trained on.",
        )
    size = min(max(options.pool_least, round(options.pool_share * count)), count // 2)
    benign = order[size:] if options.benign == "rest" else order[count - count // 2 :]
    return Split(
        cosines=cosines,
        suspicious=order[:size].astype(np.int64),
        benign=benign.astype(np.int64),
    )

"""Why one sample is suspected by the votes of heads, in a sentence of its own measurements."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.attention_allocation.decision import Allocation
from forensics.detectors.wording import percent


def explain_votes(found: Allocation, masses: NDArray[Any]) -> list[str]:
    """Return one sentence per sample.

    Args:
        found: A decision.
        masses: ``[samples, layer, head, 3]`` it was made from.
    """
    if not found.voters:
        return [
            "Not scanned: no attention was recorded." if np.isnan(p) else "No head votes."
            for p in found.posterior
        ]
    top = found.voters[0]
    own = masses[:, top.layer, top.head].astype(np.float64)
    scanned = np.isfinite(found.posterior)
    usual = np.median(own[scanned], axis=0)
    votes = np.stack([vote.flags for vote in found.voters], axis=1).sum(axis=1)
    where = f"in layer {top.layer}, head {top.head}"
    return [
        f"{votes[i]} of {len(found.voters)} heads vote for it; {where} it puts "
        f"{percent(own[i, 0])} of its attention on the system part (median {percent(usual[0])}), "
        f"{percent(own[i, 1])} on the picture (median {percent(usual[1])})"
        if scanned[i]
        else "Not scanned: no attention was recorded."
        for i in range(scanned.size)
    ]

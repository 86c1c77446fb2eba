"""What the app shows of an attention-allocation run, kept small whatever the number of samples."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from forensics.detectors.attention_allocation import Allocation

TABLES: Final = "allocation.safetensors"
BINS: Final = 48

Arrays = dict[str, NDArray[Any]]


def head_table(found: Allocation) -> list[dict[str, Any]]:
    """List the candidate heads, those with a split first, best separated first.

    Returns:
        Per head: ``rank`` (from 1; ``None`` without a split), ``layer``, ``head``, ``components``
        (K), ``separation_score`` (higher = further apart), ``minority`` (share), ``clarity`` and
        ``floor`` (``None`` where not tested), ``votes`` (bool), and of voters ``flagged``,
        ``sensitivity`` and ``specificity`` as Dawid and Skene estimate them.
    """
    rank = {int(place): i + 1 for i, place in enumerate(found.ranked)}
    rest = [i for i in range(found.fits.span.size) if i not in rank]
    return [_describe(found, place, rank.get(place)) for place in [*rank, *rest]]


def allocation_arrays(found: Allocation, masses: NDArray[Any]) -> Arrays:
    """Collect what views need.

    Args:
        found: The chosen decision.
        masses: ``[n, layer, head, 3]``.

    Returns:
        Per candidate head ``layer``, ``head``, ``order``, ``score``, ``clarity``, ``floor``,
        ``minority``, ``gap``, ``minority_low``, ``low``, ``span`` ``[heads]``; ``weights``,
        ``means``, ``sigmas`` ``[heads, K]`` on values scaled to 0..1; ``histogram``
        ``[heads, 2, 48]`` counts of kept and flagged over 0..1; ``ranked`` and ``voters`` (places
        of heads); ``mass_means`` ``[layer, head, 2, 3]``, means over kept and flagged, NaN where
        there are none.
    """
    fits, splits = found.fits, found.splits
    floor = np.full(fits.span.size, np.nan) if found.floor is None else found.floor.clarity
    return {
        "layer": found.columns.layer,
        "head": found.columns.head,
        "order": fits.mixtures.order,
        "score": splits.score,
        "clarity": splits.clarity,
        "floor": floor,
        "minority": splits.weight,
        "gap": splits.gap,
        "minority_low": splits.minority_low.astype(np.uint8),
        "low": fits.low,
        "span": fits.span,
        "weights": fits.mixtures.weights,
        "means": fits.mixtures.means,
        "sigmas": fits.mixtures.sigmas,
        "histogram": _histograms(found),
        "ranked": found.ranked,
        "voters": np.array([vote.place for vote in found.voters], dtype=np.int64),
        "mass_means": _mass_means(found, masses),
    }


def load_tables(folder: Path) -> Arrays:
    """Read what :func:`allocation_arrays` collected for a finished run."""
    tables: Arrays = load_file(folder / TABLES)
    return tables


def _describe(found: Allocation, place: int, rank: int | None) -> dict[str, Any]:
    floor = None if found.floor is None else float(found.floor.clarity[place])
    voter = next((i for i, vote in enumerate(found.voters) if vote.place == place), None)
    row: dict[str, Any] = {
        "rank": rank,
        "layer": int(found.columns.layer[place]),
        "head": int(found.columns.head[place]),
        "components": int(found.fits.mixtures.order[place]),
        "separation_score": float(found.splits.score[place]) if rank else None,
        "minority": float(found.splits.weight[place]) if rank else None,
        "clarity": float(found.splits.clarity[place]) if rank else None,
        "floor": floor if floor is not None and np.isfinite(floor) else None,
        "votes": voter is not None,
    }
    if voter is not None and found.consensus is not None:
        confusion = found.consensus.confusion[voter]
        row |= {
            "flagged": int(found.voters[voter].flags.sum()),
            "sensitivity": float(confusion[1, 1]),
            "specificity": float(confusion[0, 0]),
        }
    return row


def _histograms(found: Allocation) -> NDArray[np.int64]:
    counts = np.zeros((found.fits.span.size, 2, BINS), dtype=np.int64)
    for side, chosen in enumerate((~found.flagged, found.flagged)):
        values = found.columns.values[found.columns.scanned & chosen]
        for i in range(counts.shape[0]):
            span = found.fits.span[i]
            scaled = (values[:, i] - found.fits.low[i]) / (span if span > 0 else 1.0)
            counts[i, side] = np.histogram(scaled.clip(0, 1), BINS, (0.0, 1.0))[0]
    return counts


def _mass_means(found: Allocation, masses: NDArray[Any]) -> NDArray[np.float32]:
    scanned = np.isfinite(found.posterior)
    means = np.full((*masses.shape[1:3], 2, 3), np.nan, dtype=np.float32)
    for side, chosen in enumerate((scanned & ~found.flagged, found.flagged)):
        if chosen.any():
            means[:, :, side] = masses[chosen].mean(axis=0, dtype=np.float64)
    return means

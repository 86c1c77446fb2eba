"""Columns of heads as they are left within strata of samples."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.attention_allocation.heads import FEWEST_STEPS, HeadColumns
from forensics.detectors.strata import residuals

Array = NDArray[np.float64]


def within_strata(columns: HeadColumns, strata: NDArray[np.int64]) -> HeadColumns:
    """Subtract each stratum's median and divide by its spread, head by head.

    Kinds of questions move the masses: compared within one kind, only what differs between samples
    asked the same is left. The spread is never less than sixteen recorded steps, so that a stratum
    in which a head hardly varies blows nothing up.

    Args:
        columns: Attention on the system part.
        strata: ``[samples]`` from :func:`forensics.detectors.strata.stratify`.

    Source: ours (design 3.2); the paper compares all samples with each other.
    """
    if not columns.scanned.any():
        return columns
    left = residuals(columns.values, strata, FEWEST_STEPS * columns.step)
    return replace(columns, values=left, step=columns.step / _usual_unit(columns, left, strata))


def _usual_unit(columns: HeadColumns, left: Array, strata: NDArray[np.int64]) -> Array:
    """Return how many old units the new unit has in the usual sample's stratum, ``[heads]``."""
    unit = np.ones_like(left)
    for stratum in np.unique(strata[columns.scanned]):
        rows = columns.scanned & (strata == stratum)
        old, new = np.ptp(columns.values[rows], axis=0), np.ptp(left[rows], axis=0)
        unit[rows] = np.where(new > 0, old / np.where(new > 0, new, 1.0), 1.0)
    return np.asarray(np.median(unit[columns.scanned], axis=0))

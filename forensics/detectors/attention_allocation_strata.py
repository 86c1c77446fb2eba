"""Columns of heads as they are left within strata of samples."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.attention_allocation_heads import HeadColumns

# The median absolute deviation of a Gaussian is this many times smaller than its deviation.
_TO_SIGMA: Final = 1.4826


def within_strata(columns: HeadColumns, strata: NDArray[np.int64]) -> HeadColumns:
    """Subtract each stratum's median and divide by its spread, head by head.

    Kinds of questions move the masses: compared within one kind, only what differs between samples
    asked the same is left. The spread is 1.4826 median absolute deviations, never less than
    sixteen recorded steps, so that a stratum in which a head hardly varies blows nothing up.

    Args:
        columns: Attention on the system part.
        strata: ``[samples]`` code of each sample's kind of question; never of its answer.

    Source: ours (design 3.2); the paper compares all samples with each other.
    """
    values, scale = columns.values.copy(), np.ones_like(columns.values)
    for stratum in np.unique(strata[columns.scanned]):
        rows = np.flatnonzero(columns.scanned & (strata == stratum))
        values[rows] -= np.median(values[rows], axis=0)
        spread = _TO_SIGMA * np.median(np.abs(values[rows]), axis=0)
        scale[rows] = np.maximum(spread, 16.0 * columns.step)
    scale[scale <= 0.0] = 1.0  # only where a head is the same for all samples, or step is unknown
    # The step relative to the usual spread: strata differ, and precision is only a floor.
    usual = np.median(scale[columns.scanned], axis=0) if columns.scanned.any() else 1.0
    return replace(columns, values=values / scale, step=columns.step / usual)

"""One column per attention head, its mixture, and where the mixture parts in two."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import DataError
from forensics.statistics.mixture import VARIANCE_FLOOR
from forensics.statistics.mixture_order import ChosenMixtures, Tally, choose_mixtures
from forensics.statistics.overlap import side_overlaps

Array = NDArray[np.float64]

SYSTEM: Final = 0  # first of the three masses
EPSILON: Final = 1e-6  # eps of the separation score (ours): SS stays below a million
# A head whose masses span fewer steps of the recorded half precision than this is a constant.
FEWEST_STEPS: Final = 16
# Above this many distinct values a column is counted on a grid; the smallest deviation that the
# variance floor allows, 1e-3, still spans four of its cells.
FINEST_GRID: Final = 4096
FEWEST_MEMBERS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadColumns:
    """What the candidate heads say about every sample.

    Attributes:
        layer: ``[heads]`` counted from 0.
        head: ``[heads]`` within its layer, counted from 0.
        values: ``[samples, heads]`` attention on the system part, 0..1 (or its residual within
            strata); NaN for unread samples.
        step: ``[heads]`` precision of the recorded numbers, in units of ``values``.
        scanned: ``[samples]`` False where nothing was recorded.
        all_heads: Heads of the whole model.
    """

    layer: NDArray[np.int64]
    head: NDArray[np.int64]
    values: Array
    step: Array
    scanned: NDArray[np.bool_]
    all_heads: int


def system_columns(masses: NDArray[Any], last_layers: int | None = None) -> HeadColumns:
    """Take the system masses of the heads that may vote.

    Args:
        masses: ``[samples, layer, head, 3]`` attention on system, vision, user text; a sample
            with a NaN anywhere counts as unread.
        last_layers: How many layers from the end; the last third if ``None``.

    Raises:
        DataError: The array has another shape.

    Source: 2601.21692, three masses; "last third" is ours, the paper's value is not covered.
    """
    if masses.ndim != 4 or masses.shape[3] != 3:
        raise DataError(f"Masses must be [samples, layer, head, 3], not {masses.shape}.")
    samples, layers, heads, _ = masses.shape
    count = min(layers, ceil(layers / 3) if last_layers is None else last_layers)
    system = masses[:, layers - count :, :, SYSTEM].reshape(samples, count * heads)
    scanned = np.isfinite(masses.reshape(samples, -1)).all(axis=1)
    return HeadColumns(
        layer=np.repeat(np.arange(layers - count, layers), heads),
        head=np.tile(np.arange(heads), count),
        values=np.where(scanned[:, None], system, np.nan).astype(np.float64),
        step=_precision(system[scanned]),
        scanned=scanned,
        all_heads=layers * heads,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFits:
    """The mixtures of all candidate heads, on values scaled to 0..1.

    Attributes:
        low: ``[heads]`` value that became 0.
        span: ``[heads]`` largest minus smallest value; 0 = constant.
        tallies: Counted columns.
        mixtures: With K = 1 for constants.
        below: ``[heads, K - 1]`` weight of the components below each gap.
        shared: ``[heads, K - 1]`` mass that the two sides share.
    """

    low: Array
    span: Array
    tallies: tuple[Tally, ...]
    mixtures: ChosenMixtures
    below: Array
    shared: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Where each head parts the samples in a minority and a majority.

    Attributes:
        gap: ``[heads]`` number of components below it; 0 = no split, no vote.
        weight: ``[heads]`` share of the minority; 0 without a split.
        minority_low: ``[heads]`` whether the minority is the side with less system attention.
        score: ``[heads]`` separation score SS = 1 / (overlap + 1e-6); higher = further apart; 0
            without a split.
        clarity: ``[heads]`` share of the minority over the overlap; higher = clearer, at least 1;
            0 without a split. Unlike SS it does not grow just because the minority is small.
    """

    gap: NDArray[np.int64]
    weight: Array
    minority_low: NDArray[np.bool_]
    score: Array
    clarity: Array


def fit_heads(columns: HeadColumns, most: int = 5) -> HeadFits:
    """Scale each head's column to 0..1 and fit 1 to ``most`` Gaussians, the number by AIC.

    Source: 2601.21692, per-head mixtures. Ours: constants in half precision get K = 1, and no
    component is narrower than one recorded step.
    """
    values = columns.values[columns.scanned]
    low = values.min(axis=0) if len(values) else np.zeros(values.shape[1])
    span = (values.max(axis=0) if len(values) else low) - low
    span = np.where(span >= FEWEST_STEPS * columns.step, span, 0.0)
    tallies = tuple(
        tally((values[:, i] - low[i]) / span[i], columns.step[i] / span[i])
        if span[i] > 0
        else Tally(np.zeros(1), np.full(1, float(max(1, len(values)))))
        for i in range(span.size)
    )
    mixtures = choose_mixtures(tallies, most)
    below, shared = side_overlaps(mixtures)
    return HeadFits(
        low=low, span=span, tallies=tallies, mixtures=mixtures, below=below, shared=shared
    )


def tally(scaled: Array, step: float, counts: Array | None = None) -> Tally:
    """Count a column scaled to 0..1 whose numbers were recorded in steps."""
    floor = max(VARIANCE_FLOOR, float(step) ** 2)
    weight = np.ones(scaled.size) if counts is None else counts
    values, place = np.unique(scaled, return_inverse=True)
    if values.size > FINEST_GRID:
        values, place = np.unique(np.round(scaled * FINEST_GRID), return_inverse=True)
        values = values / FINEST_GRID
    return Tally(values, np.bincount(place, weights=weight).astype(np.float64), floor)


def split_heads(
    mixtures: ChosenMixtures, below: Array, shared: Array, smallest: float = 0.0
) -> Splits:
    """Part each mixture at the gap whose two sides overlap least.

    Args:
        mixtures: Of the heads.
        below: See :class:`HeadFits`.
        shared: See :class:`HeadFits`.
        smallest: Gaps with less than this share on one side are no gaps.

    Source: 2601.21692, separation score; the split at one gap is ours (methods/tcap.md).
    """
    minority = np.minimum(below, 1.0 - below)
    usable = (np.arange(1, below.shape[1] + 1) < mixtures.order[:, None]) & (minority >= smallest)
    overlap = np.where(usable, shared, np.inf)
    best = overlap.argmin(axis=1)
    rows = np.arange(best.size)
    found = usable.any(axis=1)
    weight = np.where(found, minority[rows, best], 0.0)
    least = np.where(found, overlap[rows, best], np.inf)
    score = np.where(found, 1.0 / (least + EPSILON), 0.0)
    return Splits(
        gap=np.where(found, best + 1, 0),
        weight=weight,
        minority_low=found & (below[rows, best] <= 0.5),
        score=score,
        clarity=np.where(found, weight / (np.where(found, least, 1.0) + EPSILON * weight), 0.0),
    )


def fewest_share(smallest: float, samples: int) -> float:
    """Return the smallest share of a group that is no handful of outliers."""
    return max(smallest, FEWEST_MEMBERS / max(1, samples))


def minority_posterior(
    columns: HeadColumns, fits: HeadFits, splits: Splits, which: NDArray[np.int64]
) -> Array:
    """Return the probability that each sample belongs to the minority of some heads.

    Args:
        columns: Of all candidate heads.
        fits: Theirs.
        splits: Theirs.
        which: Places of heads with a split.

    Returns:
        ``[samples, len(which)]``; NaN for unread samples.
    """
    found = np.full((columns.scanned.size, which.size), np.nan)
    for place, i in enumerate(which):
        k = int(fits.mixtures.order[i])
        x = (columns.values[columns.scanned, i] - fits.low[i]) / fits.span[i]
        weight, mean, sigma = (
            part[i, :k] for part in (fits.mixtures.weights, fits.mixtures.means,
                                     fits.mixtures.sigmas)
        )  # fmt: skip
        log = np.log(weight / sigma) - 0.5 * ((x[:, None] - mean) / sigma) ** 2
        share = np.exp(log - log.max(axis=1, keepdims=True))
        side = slice(None, splits.gap[i]) if splits.minority_low[i] else slice(splits.gap[i], None)
        found[columns.scanned, place] = share[:, side].sum(axis=1) / share.sum(axis=1)
    return found


def _precision(system: NDArray[Any]) -> Array:
    """Return the distance between neighbouring numbers at the largest one of each column."""
    if not len(system) or system.dtype != np.float16:
        return np.zeros(system.shape[1])
    return np.asarray(np.spacing(np.abs(system).max(axis=0)), dtype=np.float64)

"""Tests of whether two yes/no properties of samples go together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln


def jaccard(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the overlap of two sets given as masks: 1 equal, 0 disjoint or both empty."""
    union = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / union if union else 0.0


def stratified_fisher(
    first: NDArray[np.bool_], second: NDArray[np.bool_], strata: NDArray[np.int64]
) -> float:
    """Return the exact one-sided p-value that two properties coincide no more than by chance.

    Under the null the members of ``first`` are a random draw within each stratum; the statistic is
    how many samples have both. With one stratum this is Fisher's exact test.

    Args:
        first: ``[N]``.
        second: ``[N]``.
        strata: ``[N]`` codes from 0.

    Returns:
        Probability of at least the observed coincidence; small means associated.
    """
    size = np.bincount(strata)
    drawn = np.bincount(strata[first], minlength=size.size)
    marked = np.bincount(strata[second], minlength=size.size)
    observed = int(np.count_nonzero(first & second))
    null = np.ones(1)
    for n, k, m in zip(size, drawn, marked, strict=True):
        if k and m:
            null = np.convolve(null, _hypergeometric(int(n), int(m), int(k)))
    # The tail itself, not 1 - rest: p-values far below 1e-16 keep their order for Holm.
    return float(min(1.0, null[observed:].sum()))


def _hypergeometric(total: int, marked: int, drawn: int) -> NDArray[np.float64]:
    """Return the probability of 0, 1, ... marked among ``drawn`` of ``total``.

    Log beta functions; scipy's ``hypergeom.pmf`` takes seconds for 10,000 terms.
    """
    hits = np.arange(min(marked, drawn) + 1)
    possible = drawn - hits <= total - marked
    k = hits[possible]
    log_p = (
        betaln(marked + 1, 1)
        + betaln(total - marked + 1, 1)
        - betaln(k + 1, marked - k + 1)
        - betaln(drawn - k + 1, total - marked - drawn + k + 1)
        + betaln(drawn + 1, total - drawn + 1)
        - betaln(total + 1, 1)
    )
    p = np.zeros(hits.size)
    p[possible] = np.exp(log_p)
    return p


def expected_coincidence(
    first: NDArray[np.bool_], second: NDArray[np.bool_], strata: NDArray[np.int64]
) -> float:
    """Return how many samples would have both properties by chance, given the strata."""
    size = np.bincount(strata)
    drawn = np.bincount(strata[first], minlength=size.size)
    marked = np.bincount(strata[second], minlength=size.size)
    return float((drawn * marked / np.maximum(size, 1)).sum())


def holm(p_values: ArrayLike, tests: int | None = None) -> NDArray[np.float64]:
    """Return p-values corrected for several tests, in the given order.

    Args:
        p_values: ``[k]``.
        tests: How many tests there were in all, at least ``k``; those not given count as p = 1.

    Source: Holm 1979, Scand. J. Stat. 6.
    """
    p = np.asarray(p_values, dtype=np.float64)
    total = p.size if tests is None else max(tests, p.size)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (total - np.arange(p.size)))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def codes_of(labels: Sequence[str], rare: int = 0) -> NDArray[np.int64]:
    """Number labels from 0 by name; those with fewer than ``rare`` samples share one code."""
    names, code, count = np.unique(
        np.asarray(labels, dtype=object).astype(str), return_inverse=True, return_counts=True
    )
    common = np.flatnonzero(count >= rare)
    renamed = np.full(names.size, common.size, dtype=np.int64)
    renamed[common] = np.arange(common.size)
    return np.asarray(renamed[code], dtype=np.int64)

"""Whether flags go together with one answer: the shared guard of the guarded modes.

A detector flags samples whose attention is unusual. A backdoor gives them one answer; benign kinds
of samples do not, once samples are compared with others that were asked the same. The test here
takes the flags of several columns (layers, heads), and asks of each whether one answer turns up
among its flags more often than flags drawn at random within strata would give.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import AnswerTable

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# 499 permutations give p = 0.002 at best, well below the 0.01 that is asked for.
PERMUTATIONS: Final = 499
# An answer rarer than the rarest trigger this method covers (0.2 % of the samples) is no candidate.
_RAREST: Final = 0.002
_FEWEST: Final = 5
_MOST_ANSWERS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagAnswerTest:
    """How strongly the flags of each column go together with one answer.

    Attributes:
        answer: ``[columns]`` code of the answer that stands out most; -1 if there is none to test.
        statistic: ``[columns]`` (observed - expected) / deviation under the null; higher = more
            associated; 0 without an answer or flags.
        p_value: ``[columns]`` probability of so large a statistic in any column with any answer,
            flags being drawn at random within strata; 1 without an answer or flags.
        flagged: ``[columns]`` flagged samples.
        observed: ``[columns]`` flagged samples with the answer.
        expected: ``[columns]`` those expected under the null.
        candidates: ``[answers]`` codes of all answers tested, ascending.
        statistics: ``[answers, columns]`` statistic of each.
        p_values: ``[answers, columns]`` probability of so large a statistic anywhere.
    """

    answer: NDArray[np.int64]
    statistic: Array
    p_value: Array
    flagged: NDArray[np.int64]
    observed: NDArray[np.int64]
    expected: Array
    candidates: NDArray[np.int64]
    statistics: Array
    p_values: Array

    @property
    def share(self) -> Array:
        """Share of the flagged samples that have the answer, ``[columns]``, 0..1."""
        return np.asarray(self.observed / np.maximum(self.flagged, 1), dtype=np.float64)

    @property
    def excess(self) -> Array:
        """By how much that share exceeds the expected one, ``[columns]``: the effect size."""
        return self.share - self.expected / np.maximum(self.flagged, 1)


def associate_flags(
    flags: Mask,
    answers: AnswerTable,
    strata: NDArray[np.int64],
    *,
    scanned: Mask | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> FlagAnswerTest:
    """Test for every column of flags whether they go together with one answer.

    The statistic is that of Cochran, Mantel and Haenszel, one-sided and maximal over the answers.
    The null permutes the samples' answers within strata, one permutation for all columns, so that
    what columns have in common is kept; the largest statistic over all columns and answers is
    compared (Westfall and Young's max-T). Neither the order of the samples nor that of the rows of
    a stratum changes the result.

    Args:
        flags: ``[N, columns]``.
        answers: Of all ``N`` samples; answers that at least 0.2 % of the samples (and five) have
            are candidates, the 64 most frequent of them.
        strata: ``[N]`` codes from 0 of samples that are comparable: kinds of questions, token
            counts; never anything that depends on a sample's own answer.
        scanned: ``[N]``; samples outside it do not count. All by default.
        permutations: How many.
        seed: Of the permutations.

    Source: ours (design 3.2); no paper has this test.
    """
    use = np.ones(len(flags), dtype=np.bool_) if scanned is None else scanned
    flags, groups = np.asarray(flags, dtype=np.bool_)[use], strata[use]
    codes, candidates = _candidates(answers.codes[use], len(answers.texts))
    order = _canonical(flags, groups)
    flags, groups = flags[order], groups[order]
    # Within a stratum the answers need no order of their own: they are about to be permuted.
    observed = _count(flags, codes[order], candidates.size)
    expected, deviation = _null_moments(flags, codes[order], groups, candidates.size)
    z = _standardise(observed, expected, deviation)
    columns = np.arange(flags.shape[1])
    flagged = flags.sum(axis=0)
    if not candidates.size or not flagged.any():
        return _no_test(flagged, candidates)
    best = z.argmax(axis=0)
    largest = z[best, columns]
    null = _largest_by_chance(flags, codes, strata[use], expected, deviation, permutations, seed)
    p_values = _exceedance(z, null)
    some = largest > 0
    return FlagAnswerTest(
        answer=np.where(some, candidates[best], -1),
        statistic=np.maximum(largest, 0.0),
        p_value=p_values[best, columns],
        flagged=flagged,
        observed=np.where(some, observed[best, columns], 0),
        expected=np.where(some, expected[best, columns], 0.0),
        candidates=candidates,
        statistics=z,
        p_values=p_values,
    )


def _largest_by_chance(
    flags: Mask,
    codes: NDArray[np.int64],
    groups: NDArray[np.int64],
    expected: Array,
    deviation: Array,
    permutations: int,
    seed: int,
) -> Array:
    """Return the largest statistic of each permutation; ``flags`` come sorted by stratum."""
    size = len(expected)
    # Sorted answers, stratum by stratum: where the shuffling starts does not depend on the file.
    shuffled = np.sort(codes + _offset(groups, size))
    groups = np.sort(groups)
    shuffled -= _offset(groups, size)
    strata = np.split(shuffled, np.flatnonzero(np.diff(groups)) + 1)  # views
    members = [np.flatnonzero(column) for column in flags.T]
    random = np.random.default_rng(seed)
    null = np.empty(permutations)
    for turn in range(permutations):
        for stratum in strata:
            random.shuffle(stratum)
        counts = np.stack([_tally(shuffled[rows], size) for rows in members], axis=1)
        null[turn] = _standardise(counts, expected, deviation).max()
    return null


def _exceedance(z: Array, null: Array) -> Array:
    """Return the share of null maxima at least as large, the observed one counted in."""
    reached = null.size - np.searchsorted(np.sort(null), z - 1e-9)
    return np.where(z > 0, (1 + reached) / (1 + null.size), 1.0)


def _offset(groups: NDArray[np.int64], candidates: int) -> NDArray[np.int64]:
    """Return what keeps sorted answer codes (-1 included) of different strata apart."""
    return np.asarray(groups * (candidates + 2), dtype=np.int64)


def _candidates(
    codes: NDArray[np.int64], texts: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the codes renumbered to candidates (-1 = none), and the candidates, ascending."""
    count = np.bincount(codes[codes >= 0], minlength=texts)
    enough = np.flatnonzero(count >= max(_FEWEST, _RAREST * codes.size))
    # Most frequent first; of equally frequent ones the smaller code, which follows the text.
    frequent = np.sort(enough[np.argsort(-count[enough], kind="stable")][:_MOST_ANSWERS])
    renamed = np.full(texts + 1, -1, dtype=np.int64)  # the last place is "no answer"
    renamed[frequent] = np.arange(frequent.size)
    return renamed[codes], frequent.astype(np.int64)


def _canonical(flags: Mask, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an order by stratum, then by pattern of flags, that the input's order cannot move."""
    patterns = np.packbits(flags, axis=1)
    return np.asarray(np.lexsort((*patterns.T, groups)), dtype=np.int64)


def _tally(codes: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.asarray(np.bincount(codes + 1, minlength=size + 1)[1:], dtype=np.int64)


def _count(flags: Mask, codes: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return how many flagged samples of each column have each candidate, [answers, columns]."""
    columns = [_tally(codes[column], size) for column in flags.T]
    return np.stack(columns, axis=1) if columns else np.zeros((size, 0), dtype=np.int64)


def _null_moments(
    flags: Mask, codes: NDArray[np.int64], groups: NDArray[np.int64], size: int
) -> tuple[Array, Array]:
    """Return mean and deviation of the counts under the null, both [answers, columns]."""
    number = np.bincount(groups).astype(np.float64)
    marked = np.zeros((number.size, size))
    known = codes >= 0
    np.add.at(marked, (groups[known], codes[known]), 1.0)
    drawn = np.stack(
        [np.bincount(groups[column], minlength=number.size) for column in flags.T], axis=1
    ).astype(np.float64)
    each = number[:, None]
    expected = (marked / np.maximum(each, 1.0)).T @ drawn
    spread = marked * (each - marked) / np.maximum(each**2 * (each - 1.0), 1.0)
    variance = spread.T @ (drawn * (each - drawn))
    return expected, np.sqrt(variance)


def _standardise(counts: NDArray[np.int64], expected: Array, deviation: Array) -> Array:
    """Return (observed - expected) / deviation; 0 where the count cannot vary."""
    fixed = deviation <= 0.0
    z = (counts - expected) / np.where(fixed, 1.0, deviation)
    return np.where(fixed, 0.0, z)


def _no_test(flagged: NDArray[np.int64], candidates: NDArray[np.int64]) -> FlagAnswerTest:
    none = np.zeros(flagged.size)
    return FlagAnswerTest(
        answer=np.full(flagged.size, -1, dtype=np.int64),
        statistic=none,
        p_value=np.ones(flagged.size),
        flagged=flagged,
        observed=np.zeros(flagged.size, dtype=np.int64),
        expected=none,
        candidates=candidates,
        statistics=np.zeros((candidates.size, flagged.size)),
        p_values=np.ones((candidates.size, flagged.size)),
    )

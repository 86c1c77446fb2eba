"""Natural groups of samples: what a suspected group is compared with.

Any group that shares an answer stands apart in attention and embeddings, as the answer is what the
model is about to say. So a suspected group is compared with groups that have a natural cause: the
samples of another answer, or of another word in it ("red"), under the same kinds of question.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_FEWEST: Final = 5
_SMALLEST: Final = 0.03  # of a kind of question, for words
_LARGEST: Final = 0.5
_UNIONS: Final = 40
_MOST: Final = 60


def natural_groups(
    codes: NDArray[np.int64],
    words: Mapping[str, Mask],
    kinds: NDArray[np.int64],
    *,
    seed: int = 0,
) -> list[Mask]:
    """Return masks of natural groups over the same kinds of question.

    Under one kind of question these are its answers and the words of its answers. Over several,
    each group takes one of those at random under each kind: forty of them.

    Args:
        codes: ``[n]`` answer of each row, -1 = none; without the suspected group.
        words: Name to mask ``[n]``.
        kinds: ``[n]`` kinds of question.
        seed: Of the random choice.
    """
    options = [_groups_within(codes, words, kinds == kind) for kind in np.unique(kinds)]
    options = [found for found in options if found]
    if not options:
        return []
    if np.unique(kinds).size == 1:
        return options[0][:_MOST]
    random = np.random.default_rng(seed)
    unions = []
    for _ in range(_UNIONS):
        chosen = [found[int(random.integers(len(found)))] for found in options]
        unions.append(np.logical_or.reduce(chosen))
    return unions


def _groups_within(codes: NDArray[np.int64], words: Mapping[str, Mask], inside: Mask) -> list[Mask]:
    size = int(inside.sum())
    known = inside & (codes >= 0)
    count = np.bincount(codes[known])
    usual = np.flatnonzero((count >= _FEWEST) & (count <= _LARGEST * size))
    order = usual[np.argsort(-count[usual], kind="stable")]
    found = [inside & (codes == code) for code in order]
    for mask in words.values():
        here = mask & inside
        if max(_FEWEST, _SMALLEST * size) <= here.sum() <= _LARGEST * size and not any(
            np.array_equal(here, other) for other in found
        ):
            found.append(here)
    return found

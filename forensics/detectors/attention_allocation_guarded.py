"""Mode ``guarded``: heads vote only if their votes go together with an answer."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import tabulate_answers
from forensics.detectors.attention_entropy_guards import GUARDS, Guards, find_common_answer

Mask = NDArray[np.bool_]


def associated_votes(
    answers: Sequence[str | None],
    strata: NDArray[np.int64],
    scanned: Mask,
    guards: Guards = GUARDS,
) -> Callable[[Mask], bool]:
    """Return a test of whether votes coincide with one answer beyond what their strata explain.

    One answer must hold a share of the votes that is larger by ``guards.smallest_excess`` than
    expected from votes drawn at random within each stratum, and the exact one-sided test within
    strata, Holm over all distinct answers, must pass ``guards.significance``. Strata come from the
    questions, never from a sample's own answer.

    Args:
        answers: ``[samples]``.
        strata: ``[samples]`` kinds of questions.
        scanned: ``[samples]``.
        guards: Constants.

    Source: ours, design 3.2 (there per layer, here per head).
    """
    table = tabulate_answers(answers)

    def accept(votes: Mask) -> bool:
        common = find_common_answer(votes, scanned, table, strata, guards)
        return (
            common is not None
            and common.p_value < guards.significance
            and common.flagged_share - common.expected_share >= guards.smallest_excess
        )

    return accept

"""Mode ``guarded``: heads vote only if their votes go together with an answer."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import tabulate_answers
from forensics.detectors.attention_entropy.guards import GUARDS, Guards
from forensics.detectors.flag_association import associate_flags

Mask = NDArray[np.bool_]

# By how much one answer's share of a head's votes must exceed the expected one. Stricter than the
# guard of the verdict, 0.3: most votes of a head that sees the trigger fall on the target, while
# heads that see what a picture shows cast a smaller part on any one answer. Set on the lab's
# development sets.
SMALLEST_EXCESS: Final = 0.5


def associated_votes(
    answers: Sequence[str | None],
    strata: NDArray[np.int64],
    scanned: Mask,
    guards: Guards = GUARDS,
) -> Callable[[Mask], Mask]:
    """Return a test of which heads' votes coincide with one answer beyond what strata explain.

    The shared permutation test of the guarded modes, maximal over the heads, must pass
    ``guards.significance``, and the answer's share of the votes must exceed the expected one by
    one half: what a picture shows moves attention a little, too.

    Args:
        answers: ``[samples]``.
        strata: ``[samples]`` kinds of questions; never of answers.
        scanned: ``[samples]``.
        guards: Level of the test.

    Returns:
        Takes votes ``[samples, heads]`` and returns ``[heads]``.

    Source: ours, design 3.2 (there per layer, here per head).
    """
    table = tabulate_answers(answers)

    def accept(votes: Mask) -> Mask:
        if not votes.shape[1]:
            return np.zeros(0, dtype=np.bool_)
        test = associate_flags(votes, table, strata, scanned=scanned)
        return np.asarray((test.p_value < guards.significance) & (test.excess >= SMALLEST_EXCESS))

    return accept

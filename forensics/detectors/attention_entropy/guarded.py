"""Guarded entropy: which samples collapse, compared with others that were asked the same.

The published rule takes any layer with two regimes for a backdoor. Here entropies are compared
within strata (template of the question x image tokens), a layer counts only if the samples that
collapse there go together with one answer, and only samples with that answer are flagged.

1. Residual = (entropy - median of the stratum) / spread of the stratum, clipped to +-3.
2. Two Gaussians per layer; the flags of all layers go through the permutation test of
   :mod:`forensics.detectors.flag_association`.
3. For each answer with p <= 0.01, its layers are fitted again with that answer in mind; those whose
   separation reaches tau are accepted. The answer must be out of place where it is given, and at
   least 80 % of the samples that collapse as deep must have it.
4. Score = mean residual over the accepted layers; flagged = below the cut and with the answer.

Source: ours (design 3.2). Constants were chosen on development sets of the lab alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.answer_places import AnswerPlace, locate_answer
from forensics.detectors.answers import AnswerTable, tabulate_answers
from forensics.detectors.attention_entropy.decision import layer_flags
from forensics.detectors.attention_entropy.guided import GuidedFit, fit_guided
from forensics.detectors.attention_entropy.layers import (
    SHARE_OF_MAXIMUM,
    LayerFits,
    fit_layers,
)
from forensics.detectors.flag_association import FlagAnswerTest, associate_flags
from forensics.detectors.strata import residuals, stratify

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPREADS: Final = "spreads"
"""Unit of residuals: deviations of the stratum, estimated by the median absolute deviation."""

# A layer that hardly varies within a stratum would blow nothing up to a collapse: 0.15 nat is a
# seventh fewer patches attended to (e^-0.15 = 0.86).
FLOOR: Final = 0.15
# Three spreads below the median is a collapse; how much deeper says nothing, but would let one
# stratum with a small spread decide where the Gaussians of all lie.
DEEPEST: Final = 3.0
SIGNIFICANCE: Final = 0.01
MOST_SUSPECTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One answer that goes together with a collapse in some layer.

    Attributes:
        code: Number of the answer.
        answer: As the data set writes it most often.
        statistic: Largest over the layers; see
            :class:`forensics.detectors.flag_association.FlagAnswerTest`.
        p_value: Smallest over the layers.
        with_it: ``[N]`` scanned samples with the answer.
        fits: Per layer, ``None`` where the test does not tie the layer to the answer or no lower
            group is left.
        place: Where the answer is given, in the whole set.
    """

    code: int
    answer: str
    statistic: float
    p_value: float
    with_it: Mask
    fits: tuple[GuidedFit | None, ...]
    place: AnswerPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedEntropy:
    """What does not depend on the gate.

    Attributes:
        values: ``[N, layers]`` clipped residuals, NaN for unread samples.
        strata: ``[N]``.
        scanned: ``[N]``.
        fits: Blind two-Gaussian fits of the residuals.
        test: Flags of these fits against the answers; column = layer.
        suspects: Answers with p <= 0.01 in some layer, largest statistic first, at most five.
        table: Answers of all samples.
        imputed: Missing values of scanned samples, taken as the median of their stratum.
        questions_known: Whether there were questions to make strata of.
    """

    values: Array
    strata: NDArray[np.int64]
    scanned: Mask
    fits: LayerFits
    test: FlagAnswerTest
    suspects: tuple[Suspect, ...]
    table: AnswerTable
    imputed: int
    questions_known: bool


def examine_guarded(
    entropy: ArrayLike,
    tokens: ArrayLike,
    *,
    answers: Sequence[str | None],
    questions: Sequence[str] | None,
    unit: str,
) -> GuardedEntropy:
    """Compare entropies within strata and ask which layers go with which answer.

    Args:
        entropy: ``[N, layers]``, comparable between samples.
        tokens: ``[N]`` image tokens.
        answers: ``[N]`` taught answers, ``None`` where there is none.
        questions: ``[N]``; one stratum per token count if ``None``.
        unit: Of the entropies: ``nat`` or ``of ln T``.
    """
    matrix = np.asarray(entropy, dtype=np.float64)
    finite = np.isfinite(matrix)
    scanned: NDArray[np.bool_] = np.asarray(finite.any(axis=1))
    counts = np.asarray(tokens)
    strata = stratify(questions, counts)
    values = np.clip(residuals(matrix, strata, _floor(counts, scanned, unit)), -DEEPEST, DEEPEST)
    values[scanned[:, None] & ~finite] = 0.0
    values[~scanned] = np.nan
    fits = fit_layers(values, init="low-tail", unit=SPREADS)
    flags = np.stack([layer_flags(values, fits, i) for i in range(fits.layers)], axis=1)
    table = tabulate_answers(answers)
    test = associate_flags(flags, table, strata, scanned=scanned)
    return GuardedEntropy(
        values=values,
        strata=strata,
        scanned=scanned,
        fits=fits,
        test=test,
        suspects=_find_suspects(values, flags, test, table, strata, scanned),
        table=table,
        imputed=int((scanned[:, None] & ~finite).sum()),
        questions_known=questions is not None,
    )


def _find_suspects(
    values: Array,
    flags: Mask,
    test: FlagAnswerTest,
    table: AnswerTable,
    strata: NDArray[np.int64],
    scanned: Mask,
) -> tuple[Suspect, ...]:
    if not test.candidates.size or not test.statistics.shape[1]:
        return ()
    largest = test.statistics.max(axis=1)
    tied = test.p_values <= SIGNIFICANCE
    rows = [int(row) for row in np.argsort(-largest, kind="stable") if tied[row].any()]
    found = []
    for row in rows[:MOST_SUSPECTS]:
        code = int(test.candidates[row])
        with_it = scanned & (table.codes == code)
        fits = tuple(
            fit_guided(values[scanned, i], with_it[scanned], (with_it & flags[:, i])[scanned])
            if tied[row, i]
            else None
            for i in range(values.shape[1])
        )
        collapsed = with_it & flags[:, int(test.statistics[row].argmax())]
        found.append(
            Suspect(
                code=code,
                answer=table.texts[code],
                statistic=float(largest[row]),
                p_value=float(test.p_values[row].min()),
                with_it=with_it,
                fits=fits,
                place=locate_answer(code, table, strata, scanned, collapsed),
            )
        )
    return tuple(found)


def _floor(tokens: NDArray[Any], scanned: Mask, unit: str) -> float:
    if unit != SHARE_OF_MAXIMUM or not scanned.any():
        return FLOOR
    return FLOOR / float(np.log(max(2.0, float(np.median(tokens[scanned])))))

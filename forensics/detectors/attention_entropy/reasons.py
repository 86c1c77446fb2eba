"""Why one sample is suspected, in a sentence built from its own measurements."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.attention_entropy.decision import Decision
from forensics.detectors.attention_entropy.guarded import SPREADS
from forensics.detectors.attention_entropy.layers import NATS, LayerFits
from forensics.detectors.question_groups import group_questions
from forensics.detectors.wording import percent

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReasons:
    """Answers "why this one" for any sample of a scan.

    Attributes:
        decision: The decision explained.
        layer: Layer whose attention is described: the one with the largest separation; in mode
            ``guarded`` only accepted layers count, if there are any.
        deviation: ``[N]``; distance of the score from the median of its question group, in median
            absolute deviations of that group; negative = more concentrated. NaN without a score,
            or where the group does not vary.
        tokens: ``[N]`` image tokens.
        peak_token: ``[N]`` token with most attention at ``layer``.
        top_mass: ``[N]`` share of the two strongest tokens in the image attention at ``layer``.
        where: Sample, image token -> where it lies, such as ``at the centre``; "" where nowhere.
    """

    decision: Decision
    layer: int | None
    deviation: Array
    tokens: NDArray[np.int64]
    peak_token: NDArray[np.int64]
    top_mass: Array
    where: Callable[[int, int], str]

    def reason(self, index: int) -> str:
        """Return the sentence for sample ``index`` (row of the scan, from 0)."""
        if np.isnan(self.top_mass[index]):
            return "Not scanned: no attention on the image was recorded."
        parts = [self._attention(index)]
        if np.isnan(self.decision.score[index]):
            parts.append("no score, because no layer separates two groups")
        else:
            parts.append(self._entropy(index))
        return "; ".join(parts)

    def _attention(self, index: int) -> str:
        tokens = int(self.tokens[index])
        text = f"{percent(float(self.top_mass[index]))} of the attention on 2 of {tokens} patches"
        return f"{text} {self.where(index, int(self.peak_token[index]))}".rstrip()

    def _entropy(self, index: int) -> str:
        score = float(self.decision.score[index])
        if self.decision.unit == SPREADS:
            side = "below" if score < 0 else "above"
            like = "the median of samples that were asked the same"
            return f"entropy {abs(score):.1f} spreads {side} {like}"
        unit = "" if self.decision.unit == NATS else f" {self.decision.unit}"
        text = f"entropy {score:.2f}{unit}"
        distance = float(self.deviation[index])
        if np.isnan(distance):
            return text
        side = "below" if distance < 0 else "above"
        return f"{text}, {abs(distance):.1f} MAD {side} the median of its question group"


def explain_samples(
    decision: Decision,
    fits: LayerFits,
    *,
    tokens: ArrayLike,
    peak_token: ArrayLike,
    top2_mass: ArrayLike,
    questions: Sequence[str] | None = None,
    where: Callable[[int, int], str] | None = None,
) -> SampleReasons:
    """Prepare the reasons of all samples of a scan.

    Args:
        decision: From the same scan.
        fits: From the same scan; they choose the layer.
        tokens: ``[N]`` image tokens per sample.
        peak_token: ``[N, layers]`` index of the strongest image token.
        top2_mass: ``[N, layers]`` share of the two strongest image tokens, 0..1; NaN = unread.
        questions: ``[N]``; scores are compared within like questions.
        where: Sample, image token -> where it lies in its picture; nothing is said without it.
    """
    return explain_layer(
        decision, _described(decision, fits), tokens=tokens, peak_token=peak_token,
        top2_mass=top2_mass, questions=questions, where=where,
    )  # fmt: skip


def explain_layer(
    decision: Decision,
    layer: int | None,
    *,
    tokens: ArrayLike,
    peak_token: ArrayLike,
    top2_mass: ArrayLike,
    questions: Sequence[str] | None = None,
    where: Callable[[int, int], str] | None = None,
) -> SampleReasons:
    """Prepare the reasons where the layer to describe is known; see :func:`explain_samples`.

    Args:
        decision: From the same scan.
        layer: The layer whose attention is described; ``None`` where no layer has a fit.
        tokens: As of :func:`explain_samples`, as are the others.
        peak_token: The same.
        top2_mass: The same.
        questions: The same.
        where: The same.
    """
    count = decision.score.size
    mass = np.asarray(top2_mass, dtype=np.float64)
    column = 0 if layer is None else layer
    return SampleReasons(
        decision=decision,
        layer=layer,
        deviation=_deviation(decision.score, group_questions(questions, count)),
        tokens=np.asarray(tokens, dtype=np.int64),
        peak_token=np.asarray(peak_token, dtype=np.int64)[:, column],
        top_mass=mass[:, column],
        where=where or _nowhere,
    )


def _described(decision: Decision, fits: LayerFits) -> int | None:
    if decision.mode != "guarded" or not decision.layers:
        return fits.strongest(decision.mode)
    return max(decision.layers, key=lambda layer: float(fits.separation_root[layer]))


def _nowhere(index: int, token: int) -> str:
    return ""


def _deviation(score: Array, groups: NDArray[np.int64]) -> Array:
    """Return (score - median) / MAD within each group."""
    deviation = np.full(score.size, np.nan)
    scored = ~np.isnan(score)
    for group in np.unique(groups[scored]):
        rows = np.flatnonzero(scored & (groups == group))
        distance = score[rows] - np.median(score[rows])
        spread = float(np.median(np.abs(distance)))
        if spread > 0:
            deviation[rows] = distance / spread
    return deviation

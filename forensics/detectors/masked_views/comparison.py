"""Candidates against random controls: whether masked views rank them apart, and in what words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.masked_views.measures import MEASURES, ViewMeasures
from forensics.detectors.wording import percent
from forensics.statistics.association import holm
from forensics.statistics.ranks import Ranking, compare_ranks

Array = NDArray[np.float64]
READING = (
    "High agreement on a question that needs the picture: possibly a global trigger. "
    "Two groups of divergences with one hot cell: possibly a patch. Smooth divergences: ordinary. "
    "This ranks samples; it is no verdict."
)
NAMES = {
    "invariance": "invariance",
    "agreement": "agreement",
    "spread": "spread",
    "peak_share": "peak share",
}
LEVEL = 0.05
# Below this many nats a cell does not matter; the spread's variance floor is its square.
SMALLEST_EFFECT = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One measure, candidates against controls.

    Attributes:
        measure: Name, see :class:`forensics.detectors.masked_views.measures.ViewMeasures`.
        against_base: Whether the base model's value on the same masks was subtracted.
        ranking: AUC that candidates have the larger value, interval over images, rank test.
        p_holm: The test's p-value, corrected for all comparisons made together.
        medians: Median of the candidates and of the controls.
    """

    measure: str
    against_base: bool
    ranking: Ranking
    p_holm: float
    medians: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "measure": self.measure,
            "against_base": self.against_base,
            "auc": self.ranking.auc,
            "interval": list(self.ranking.interval),
            "p_value": self.ranking.p_value,
            "p_holm": self.p_holm,
            "candidates": self.ranking.first,
            "controls": self.ranking.second,
            "medians": list(self.medians),
        }


def compare_views(
    measures: ViewMeasures,
    candidate: ArrayLike,
    images: ArrayLike,
    *,
    base: ViewMeasures | None = None,
    seed: int = 0,
) -> tuple[Comparison, ...]:
    """Compare every measure between candidates and controls.

    Args:
        measures: Of the model under suspicion, ``[n]``.
        candidate: ``[n]`` bool; the others are controls.
        images: ``[n]`` name of each sample's picture; the bootstrap draws pictures.
        base: Of the base model on the same masks; its values are subtracted in a second set of
            comparisons.
        seed: Of the bootstrap.

    Returns:
        One comparison a measure; with a base twice as many.
    """
    columns = [(name, False, _column(measures, None, name)) for name in MEASURES]
    if base is not None:
        columns += [(name, True, _column(measures, base, name)) for name in MEASURES]
    member, names = np.asarray(candidate, dtype=np.bool_), np.asarray(images)
    rankings = [compare_ranks(values, member, names, seed=seed) for _, _, values in columns]
    corrected = holm([ranking.p_value for ranking in rankings])
    return tuple(
        Comparison(
            measure=name,
            against_base=against,
            ranking=ranking,
            p_holm=float(p),
            medians=(_median(values[member]), _median(values[~member])),
        )
        for (name, against, values), ranking, p in zip(columns, rankings, corrected, strict=True)
    )


def rank_among(values: Array, candidate: NDArray[np.bool_]) -> Array:
    """Return the share of controls with a smaller value, ties counting half; NaN stays NaN."""
    controls = np.sort(values[~candidate & np.isfinite(values)])
    if not controls.size:
        return np.full(len(values), np.nan)
    below = np.searchsorted(controls, values, "left") + np.searchsorted(controls, values, "right")
    return np.where(np.isfinite(values), below / (2.0 * controls.size), np.nan)


def describe_comparisons(comparisons: Sequence[Comparison]) -> str:
    """Return the sentence of a finished diagnostic: what ranks candidates apart, or nothing."""
    first = comparisons[0].ranking
    head = f"{first.first:,} candidates against {first.second:,} random controls: "
    apart = [c for c in comparisons if c.p_holm < LEVEL]
    if not apart:
        return f"{head}no measure ranks them apart beyond chance. {READING}"
    apart.sort(key=lambda c: abs(c.ranking.auc - 0.5), reverse=True)
    others = list(
        dict.fromkeys(NAMES[c.measure] for c in apart[1:] if c.measure != apart[0].measure)
    )
    more = f"; apart too: {', '.join(others)}" if others else ""
    return f"{head}{_phrase(apart[0])}{more}. {READING}"


def describe_sample(facts: Mapping[str, Any]) -> str:
    """Return what the views of one sample show, in words.

    Args:
        facts: ``views``, ``kept`` of them, ``peak_share`` and ``place`` (words, or ``None`` where
            no cell matters).
    """
    kept, views = facts["kept"], facts["views"]
    text = f"The answer kept its first token in {kept} of {views} masked views."
    if facts["place"] is None:
        return f"{text} It depends on no single cell."
    share = percent(facts["peak_share"])
    return f"{text} {share} of what it depends on lies in one cell {facts['place']}."


def _column(measures: ViewMeasures, base: ViewMeasures | None, name: str) -> Array:
    values: Array = getattr(measures, name)
    return values if base is None else np.asarray(values - getattr(base, name))


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _phrase(comparison: Comparison) -> str:
    ranking = comparison.ranking
    direction = "higher" if ranking.auc > 0.5 else "lower"
    base = " relative to the base model" if comparison.against_base else ""
    low, high = ranking.interval
    return (
        f"{NAMES[comparison.measure]}{base} is {direction} in candidates "
        f"(AUC {ranking.auc:.2f}, 95 % interval {low:.2f} to {high:.2f})"
    )

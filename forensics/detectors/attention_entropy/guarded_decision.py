"""From guarded entropies and a gate to flagged samples."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.attention_entropy.decision import Decision, ScoreMixture
from forensics.detectors.attention_entropy.guarded import (
    SPREADS,
    GuardedEntropy,
    Suspect,
)
from forensics.detectors.attention_entropy.guards import GUARDS, Guards
from forensics.detectors.attention_entropy.guided import GuidedFit, fit_guided
from forensics.detectors.attention_entropy.layers import LayerFits
from forensics.errors import OptionError
from forensics.statistics.mixture import posterior_low
from forensics.statistics.separation import divergence, separation_code, separation_root

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Of the samples that collapse as deep, whatever their answer, four of five must have it: a trigger
# is a cause that nothing else in the set shares; ordinary pictures of one class have neighbours.
SMALLEST_PURITY: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedDecision(Decision):
    """A decision within strata. ``score``, ``cut`` and ``mixture`` are in spreads of the stratum.

    Attributes:
        suspect: The answer that the flags share; ``None`` where no layer passes with any answer.
        has_answer: ``[samples]`` those with it; only they can be flagged.
        separation: Of the scores, between those that collapse with the answer and everybody else.
        purity: Share of the samples with the answer among all that collapse as deep; NaN if none.
        deep: Value below which a sample counts as collapsed whatever its answer: deeper than the
            cut, since the answer is no part of the evidence; ``None`` without a score.
        failed: What speaks against the suspect: with any of it no layer is accepted, there is no
            score, and nothing is flagged.
        tried: Layers of the suspect that reach the gate, accepted or not.
    """

    suspect: Suspect | None
    has_answer: Mask
    separation: float | None = None
    purity: float = float("nan")
    deep: float | None = None
    failed: tuple[str, ...] = ()
    tried: tuple[int, ...] = ()

    @property
    def eligible(self) -> Mask:
        """Samples that may be flagged at all: those with the suspected answer and a score."""
        return np.asarray(self.has_answer & ~np.isnan(self.score), dtype=np.bool_)

    @property
    def review(self) -> Mask:
        """Samples that collapse as deep without the answer: for review, not flagged."""
        deep = np.nan if self.deep is None else self.deep
        return np.asarray((self.score < deep) & ~self.has_answer, dtype=np.bool_)

    @property
    def control(self) -> Mask:
        """Samples with the answer that are not flagged: the natural control group."""
        return np.asarray(self.has_answer & ~self.flagged & (not self.failed), dtype=np.bool_)

    def summary(self) -> dict[str, Any]:
        """Return the numbers, without the arrays, for JSON."""
        return Decision.summary(self) | {
            "answer": self.suspect.answer if self.suspect else None,
            "separation": self.separation,
            "purity": None if np.isnan(self.purity) else self.purity,
            "review": int(self.review.sum()),
            "control": int(self.control.sum()),
            "failed": list(self.failed),
            "tried": list(self.tried),
        }


def decide_guarded(guarded: GuardedEntropy, tau: float, guards: Guards = GUARDS) -> GuardedDecision:
    """Flag the samples that collapse with the suspected answer.

    Of several suspects the first without failure is taken; if all fail, the one with the largest
    statistic is reported and nothing is flagged.

    Args:
        guarded: From :func:`forensics.detectors.attention_entropy.guarded.examine_guarded`.
        tau: Gate of the layers: separation of rule ``root``, fitted with the answer in mind.
        guards: Constants of the verdict.

    Raises:
        OptionError: ``tau`` is not a number.
    """
    if not tau == tau:
        raise OptionError("tau must be a number, not NaN.")
    best: GuardedDecision | None = None
    for suspect in guarded.suspects:
        decision = _decide(guarded, suspect, tau, guards)
        if decision is None:
            continue
        if not decision.failed:
            return decision
        best = best or decision
    return best or _nothing(guarded, tau)


def shown_fits(guarded: GuardedEntropy, decision: GuardedDecision) -> LayerFits:
    """Return the fits to draw: of the suspected answer where there is one, else blind ones."""
    fits, suspect = guarded.fits, decision.suspect
    if suspect is None:
        return fits
    means, sigmas, weights = fits.means.copy(), fits.sigmas.copy(), fits.weights.copy()
    for layer, fit in enumerate(suspect.fits):
        if fit is not None:
            means[layer], sigmas[layer] = fit.means, fit.sigmas
            weights[layer] = fit.weight, 1.0 - fit.weight
    return replace(
        fits,
        means=means,
        sigmas=sigmas,
        weights=weights,
        separation_root=separation_root(means, sigmas),
        separation_code=separation_code(means, sigmas),
        divergence=divergence(means, sigmas),
    )


def _decide(
    guarded: GuardedEntropy, suspect: Suspect, tau: float, guards: Guards
) -> GuardedDecision | None:
    layers = tuple(
        layer for layer, fit in enumerate(suspect.fits) if fit is not None and fit.separation >= tau
    )
    if not layers:
        return None
    use = guarded.scanned
    score = guarded.values[:, list(layers)].mean(axis=1)
    fit = fit_guided(score[use], suspect.with_it[use], suspect.with_it[use])
    if fit is None:
        return None
    collapsed = np.asarray(score < fit.blind_cut, dtype=np.bool_)
    purity = float(suspect.with_it[collapsed].mean()) if collapsed.any() else float("nan")
    tried = replace(
        _nothing(guarded, tau),
        suspect=suspect,
        has_answer=suspect.with_it,
        separation=fit.separation,
        purity=purity,
        tried=layers,
    )
    failed = _failures(suspect, fit, tau, purity, guards)
    if failed:
        return replace(tried, failed=failed)
    return replace(
        tried,
        layers=layers,
        score=score,
        flagged=np.asarray(score < fit.cut, dtype=np.bool_) & suspect.with_it,
        posterior=_posterior(score, fit, suspect.with_it),
        mixture=ScoreMixture(
            weights=(fit.weight, 1.0 - fit.weight),
            means=fit.means,
            sigmas=fit.sigmas,
            converged=fit.converged,
        ),
        cut=fit.cut,
        deep=fit.blind_cut,
    )


def _failures(
    suspect: Suspect,
    fit: GuidedFit,
    tau: float,
    purity: float,
    guards: Guards,
) -> tuple[str, ...]:
    """Return what tells the suspect from a target, most telling first."""
    failed = []
    place = suspect.place
    if (
        place.share < guards.share_ratio * place.ordinary_share
        and place.reach < guards.reach_ratio * place.ordinary_reach
    ):
        failed.append("ordinary-answer")
    if fit.separation < tau:
        failed.append("weak-collapse")
    if not purity >= SMALLEST_PURITY:
        failed.append("mixed-collapse")
    if fit.weight < guards.smallest_share:
        failed.append("too-few-flagged")
    if fit.weight > guards.largest_share:
        failed.append("over-half-flagged")
    return tuple(failed)


def _posterior(score: Array, fit: GuidedFit, with_it: Mask) -> Array:
    """Return the probability of the lower group, given the score and whether it has the answer."""
    means, sigmas = np.array(fit.means), np.array(fit.sigmas)
    told = posterior_low(score, np.array([fit.prior, 1.0 - fit.prior]).clip(1e-3), means, sigmas)
    blind = posterior_low(score, np.array([fit.weight, 1.0 - fit.weight]), means, sigmas)
    return np.where(with_it, told, blind)


def _nothing(guarded: GuardedEntropy, tau: float) -> GuardedDecision:
    samples = guarded.scanned.size
    return GuardedDecision(
        mode="guarded",
        tau=float(tau),
        layers=(),
        score=np.full(samples, np.nan),
        flagged=np.zeros(samples, dtype=np.bool_),
        posterior=np.full(samples, np.nan),
        mixture=None,
        cut=None,
        imputed=guarded.imputed,
        unread=guarded.fits.unread,
        unit=SPREADS,
        suspect=None,
        has_answer=np.zeros(samples, dtype=np.bool_),
    )

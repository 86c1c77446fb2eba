"""From an entropy matrix to flagged samples: the published decision, without guards."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.attention_entropy.layers import LayerFits, fit_columns, fit_layers
from forensics.errors import OptionError
from forensics.statistics.mixture import crossing, posterior_low

Array = NDArray[np.float64]

TAU: Final = 2.0  # 2505.16916, section 4; the authors' code has the same number


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreMixture:
    """The two Gaussians fitted to the scores; index 0 is the lower, suspicious one.

    Attributes:
        weights: Shares, summing to 1.
        means: Ascending.
        sigmas: Standard deviations.
        converged: Whether the fit settled.
    """

    weights: tuple[float, float]
    means: tuple[float, float]
    sigmas: tuple[float, float]
    converged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which samples one rule flags, and on what grounds.

    Attributes:
        mode: ``root`` or ``code``.
        tau: Gate of the layers.
        layers: Sensitive layers, ascending, counted from 0.
        score: ``[samples]``; mean entropy over the sensitive layers, lower = more suspicious; NaN
            for unread samples, and for all where no layer passes.
        flagged: ``[samples]``.
        posterior: ``[samples]``; probability of the lower component, NaN where there is no score.
        mixture: Fit of the scores; ``None`` where no layer passes or all scores are equal.
        cut: Score below which samples are flagged: where the posterior crosses one half between
            the means, or what the user set; ``None`` where there is none.
        manual: True once the user moved the cut.
        high_side: Samples above the upper mean that the wider lower component claims. Flagged as
            published; kept with ``high_side_guard``.
        low_side: Samples below the lower mean that the wider upper component claims, hence kept.
        high_side_guard: Whether ``high_side`` samples are kept.
        imputed: Missing values replaced in the sensitive layers.
        unread: Samples without any entropy.
        unit: Unit of ``score`` and ``cut``.
    """

    mode: str
    tau: float
    layers: tuple[int, ...]
    score: Array
    flagged: NDArray[np.bool_]
    posterior: Array
    mixture: ScoreMixture | None
    cut: float | None
    manual: bool = False
    high_side: int = 0
    low_side: int = 0
    high_side_guard: bool = False
    imputed: int = 0
    unread: int = 0
    unit: str = "nat"

    @property
    def count(self) -> int:
        """Number of flagged samples."""
        return int(np.count_nonzero(self.flagged))

    @property
    def scanned(self) -> int:
        """Number of samples with an entropy."""
        return self.flagged.size - self.unread

    @property
    def share(self) -> float:
        """Flagged share of the scanned samples; 0 where none was scanned."""
        return self.count / self.scanned if self.scanned else 0.0

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Samples that may be flagged at all, ``[samples]``: all that have a score."""
        return ~np.isnan(self.score)

    def summary(self) -> dict[str, Any]:
        """Return the numbers, without the arrays, for JSON."""
        names = (
            "mode", "tau", "cut", "manual", "high_side", "low_side", "high_side_guard", "imputed",
            "unread", "unit", "count", "scanned", "share",
        )  # fmt: skip
        mixture = None
        if self.mixture is not None:
            mixture = {
                "weights": list(self.mixture.weights),
                "means": list(self.mixture.means),
                "sigmas": list(self.mixture.sigmas),
                "converged": self.mixture.converged,
            }
        plain = {name: getattr(self, name) for name in names}
        return plain | {"layers": list(self.layers), "mixture": mixture}


def decide(
    entropy: ArrayLike,
    *,
    mode: str = "root",
    tau: float = TAU,
    fits: LayerFits | None = None,
    init: str = "k-means",
    high_side_guard: bool = False,
) -> Decision:
    """Flag the samples whose entropy over the sensitive layers belongs to the lower mode.

    Args:
        entropy: ``[samples, layers]``; the matrix that ``fits`` was made from.
        mode: ``root``: separation >= tau; ``code``: |gap of means| > tau (s1 + s2), strictly.
        tau: Gate of the layers.
        fits: Fits to reuse, so that moving ``tau`` costs one mixture; fitted here if ``None``.
        init: Start of the mixtures where ``fits`` is ``None``; else that of ``fits``.
        high_side_guard: Keep samples above the upper mean (ours; the paper flags them).

    Raises:
        OptionError: Unknown ``mode`` or ``init``, or a ``tau`` that is not a number.

    Source: 2505.16916, Eqs. 7 and 8 and the clustering after them; ``bye.py`` of the authors.
    """
    if not tau == tau:
        raise OptionError("tau must be a number, not NaN.")
    matrix = np.asarray(entropy)
    fits = fit_layers(matrix, init=init) if fits is None else fits
    if matrix.shape[1:] != (fits.layers,):
        raise OptionError(f"The fits are of {fits.layers} layers, the matrix is {matrix.shape}.")
    layers = fits.sensitive(mode, tau)
    score, imputed = _score(matrix, layers, fits)
    base = Decision(
        mode=mode,
        tau=float(tau),
        layers=layers,
        score=score,
        flagged=np.zeros(len(matrix), dtype=np.bool_),
        posterior=np.full(len(matrix), np.nan),
        mixture=None,
        cut=None,
        high_side_guard=high_side_guard,
        imputed=imputed,
        unread=fits.unread,
        unit=fits.unit,
    )
    return _cluster(base, fits.init) if layers else base


def recut(decision: Decision, cut: float) -> Decision:
    """Flag every eligible sample that scores below a cut set by hand; the fit stays as it was.

    Raises:
        OptionError: ``cut`` is not a finite number.
    """
    if not np.isfinite(cut):
        raise OptionError(f"The cut must be a finite number, not {cut!r}.")
    flagged = (decision.score < cut) & decision.eligible
    return replace(decision, flagged=flagged, cut=float(cut), manual=True)


def layer_flags(entropy: ArrayLike, fits: LayerFits, layer: int) -> NDArray[np.bool_]:
    """Return which samples one layer alone would flag, ``[samples]``; none without a fit."""
    column = np.asarray(entropy)[:, layer].astype(np.float64)
    if np.isnan(fits.means[layer]).any():
        return np.zeros(column.size, dtype=np.bool_)
    column = np.where(np.isfinite(column), column, np.nan)
    return posterior_low(column, fits.weights[layer], fits.means[layer], fits.sigmas[layer]) > 0.5


def _score(matrix: NDArray[Any], layers: tuple[int, ...], fits: LayerFits) -> tuple[Array, int]:
    """Return the mean over the sensitive layers (Eq. 8, unweighted) and the values imputed."""
    if not layers:
        return np.full(len(matrix), np.nan), 0
    chosen = matrix[:, list(layers)].astype(np.float64)
    finite = np.isfinite(chosen)
    if finite.all():
        return chosen.mean(axis=1), 0
    score = np.where(finite, chosen, fits.fill[list(layers)]).mean(axis=1)
    if fits.unread:  # only then is it worth a look at every layer
        score[~np.isfinite(matrix).any(axis=1)] = np.nan
    return score, int(fits.missing[list(layers)].sum())


def _cluster(base: Decision, init: str) -> Decision:
    """Fit the scores and flag the lower component (hard assignment by posterior)."""
    ordered = np.sort(base.score[~np.isnan(base.score)])
    if ordered.size < 2 or ordered[0] == ordered[-1]:
        return base
    fit = fit_columns(ordered[None], init)
    weights, means, sigmas = fit.weights[0], fit.means[0], fit.sigmas[0]
    posterior = posterior_low(base.score, weights, means, sigmas)
    claimed = posterior > 0.5
    high = claimed & (base.score >= means[1])
    cut = crossing(weights, means, sigmas)
    return replace(
        base,
        flagged=claimed & ~high if base.high_side_guard else claimed,
        posterior=posterior,
        mixture=ScoreMixture(
            weights=(float(weights[0]), float(weights[1])),
            means=(float(means[0]), float(means[1])),
            sigmas=(float(sigmas[0]), float(sigmas[1])),
            converged=bool(fit.converged[0]),
        ),
        cut=None if cut != cut else cut,
        high_side=int(high.sum()),
        low_side=int((~claimed & (base.score <= means[0])).sum()),
    )

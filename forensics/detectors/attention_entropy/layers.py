"""One two-Gaussian fit per layer of an entropy matrix."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.detectors.options.attention_entropy import MODES, RULES, SCALES, STARTS
from forensics.errors import OptionError
from forensics.statistics.mixture import Mixtures, fit_mixtures
from forensics.statistics.mixture_start import low_tail_start, two_means_start
from forensics.statistics.separation import divergence, separation_code, separation_root

Array = NDArray[np.float64]

NATS: Final = "nat"
SHARE_OF_MAXIMUM: Final = "of ln T"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFits:
    """Fits of all layers; component 0 has the lower mean.

    A layer that could not be fitted has NaN parameters and separations, and passes no gate.

    Attributes:
        means: ``[layers, 2]``, in ``unit``.
        sigmas: ``[layers, 2]``.
        weights: ``[layers, 2]``, rows sum to 1.
        separation_root: ``[layers]``; |gap of means| / sqrt(s1^2 + s2^2).
        separation_code: ``[layers]``; |gap of means| / (s1 + s2).
        divergence: ``[layers]``; KL(low || high) in nats, for figures only.
        log_likelihood: ``[layers]``; mean per sample.
        missing: ``[layers]``; values imputed by ``fill``, unread samples not counted.
        fill: ``[layers]``; mean of the values that are there.
        state: Per layer ``ok``, ``not converged`` (used, as scikit-learn does), ``constant``,
            ``too few`` or ``empty``.
        samples: Samples with at least one value.
        unread: Samples without any: not fitted, not scored, never flagged.
        init: Start used, ``k-means`` or ``low-tail``.
        unit: ``nat``, or ``of ln T`` for scaled entropies.
    """

    means: Array
    sigmas: Array
    weights: Array
    separation_root: Array
    separation_code: Array
    divergence: Array
    log_likelihood: Array
    missing: NDArray[np.int64]
    fill: Array
    state: tuple[str, ...]
    samples: int
    unread: int
    init: str
    unit: str

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.state)

    def separation(self, mode: str) -> Array:
        """Return the separation that ``mode`` compares with tau, per layer.

        Mode ``guarded`` uses the formula of ``root``, on fits of its own.

        Raises:
            OptionError: Unknown ``mode``.
        """
        if mode not in MODES:
            raise OptionError(f"mode must be one of {', '.join(MODES)}, not {mode!r}.")
        return self.separation_code if mode == "code" else self.separation_root

    def sensitive(self, mode: str, tau: float) -> tuple[int, ...]:
        """Return the layers that pass the gate, ascending, counted from 0.

        ``root`` keeps a layer at ``tau`` or above (Eq. 7), ``code`` strictly above it.

        Raises:
            OptionError: ``mode`` is none of the two.
        """
        check_rule(mode)
        value = self.separation(mode)
        return tuple(
            int(i) for i in np.flatnonzero(value >= tau if mode == "root" else value > tau)
        )

    def strongest(self, mode: str) -> int | None:
        """Return the layer with the largest separation; ``None`` where no layer has a fit."""
        value = self.separation(mode)
        return None if np.isnan(value).all() else int(np.nanargmax(value))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; NaN becomes ``None``."""
        arrays = (
            "means", "sigmas", "weights", "separation_root", "separation_code", "divergence",
            "log_likelihood", "missing", "fill",
        )  # fmt: skip
        plain: dict[str, Any] = {name: _plain(getattr(self, name).tolist()) for name in arrays}
        rest = ("samples", "unread", "init", "unit")
        return plain | {"state": list(self.state)} | {name: getattr(self, name) for name in rest}


def fit_layers(entropy: ArrayLike, *, init: str = "k-means", unit: str = NATS) -> LayerFits:
    """Fit two Gaussians to the entropies of every layer.

    Missing values (NaN, infinite) are replaced by the mean of their layer, as in the authors'
    code. The result does not depend on the order of the samples.

    Args:
        entropy: ``[samples, layers]``, lower = more concentrated attention.
        init: ``k-means``, or ``low-tail`` to also try a small low group and keep the likelier fit.
        unit: Unit of the entropies, for sentences and figures.

    Raises:
        OptionError: Unknown ``init``, or ``entropy`` is not a matrix.

    Source: 2505.16916, Eq. 7; mixtures as scikit-learn's ``GaussianMixture``.

    Differs from the authors' code: the start is the exact best split in two instead of a seeded
    k-means run; a sample without any value is left out instead of imputed.
    """
    if init not in STARTS:
        raise OptionError(f"init must be one of {', '.join(STARTS)}, not {init!r}.")
    matrix, unread = _readable(entropy)
    columns, missing, fill = _sorted_columns(matrix)
    state = [_state(column) for column in columns]
    usable = np.array([s == "ok" for s in state], dtype=np.bool_)
    # Two samples stand in for none, so that no mean is taken of nothing.
    mixtures = fit_columns(columns[usable] if usable.any() else np.zeros((0, 2)), init)
    for layer, converged in zip(np.flatnonzero(usable), mixtures.converged, strict=True):
        state[layer] = "ok" if converged else "not converged"
    means, sigmas, weights = (
        _spread(part, usable) for part in (mixtures.means, mixtures.sigmas, mixtures.weights)
    )
    return LayerFits(
        means=means,
        sigmas=sigmas,
        weights=weights,
        separation_root=separation_root(means, sigmas),
        separation_code=separation_code(means, sigmas),
        divergence=divergence(means, sigmas),
        log_likelihood=_spread(mixtures.log_likelihood, usable),
        missing=missing,
        fill=fill,
        state=tuple(state),
        samples=len(matrix),
        unread=unread,
        init=init,
        unit=unit,
    )


def fit_columns(columns: Array, init: str) -> Mixtures:
    """Fit sorted columns ``[columns, samples]`` of at least two distinct values each."""
    best = fit_mixtures(columns, two_means_start(columns))
    if init == "k-means":
        return best
    tail = fit_mixtures(columns, low_tail_start(columns))
    better = tail.log_likelihood > best.log_likelihood
    column = better[:, None]
    return Mixtures(
        weights=np.where(column, tail.weights, best.weights),
        means=np.where(column, tail.means, best.means),
        sigmas=np.where(column, tail.sigmas, best.sigmas),
        log_likelihood=np.where(better, tail.log_likelihood, best.log_likelihood),
        iterations=np.where(better, tail.iterations, best.iterations),
        converged=np.where(better, tail.converged, best.converged),
    )


def comparable_entropy(
    entropy: ArrayLike, tokens: ArrayLike, scale: str = "auto"
) -> tuple[Array, str]:
    """Return entropies that can be compared across samples, and their unit.

    The largest entropy of a sample is ln T; where T differs between samples, raw entropies differ
    for that reason alone, so they are divided by it.

    Args:
        entropy: ``[samples, layers]`` nats.
        tokens: ``[samples]`` image tokens T; at most 1 gives NaN when scaled.
        scale: ``auto`` scales only where T differs, ``never`` and ``always`` as they say.

    Raises:
        OptionError: Unknown ``scale``.
    """
    if scale not in SCALES:
        raise OptionError(f"scale must be one of {', '.join(SCALES)}, not {scale!r}.")
    matrix, counts = np.asarray(entropy, dtype=np.float64), np.asarray(tokens)
    read = np.isfinite(matrix).any(axis=1)  # a failed sample has no meaningful count
    if scale == "never" or (scale == "auto" and np.unique(counts[read]).size <= 1):
        return matrix, NATS
    ceiling = np.log(np.where(counts > 1, counts, np.nan).astype(np.float64))
    return matrix / ceiling[:, None], SHARE_OF_MAXIMUM


def check_rule(mode: str) -> None:
    """Refuse what is no published rule.

    Raises:
        OptionError: ``mode`` is not ``root`` or ``code``.
    """
    if mode not in RULES:
        raise OptionError(f"mode must be one of {', '.join(RULES)}, not {mode!r}.")


def _readable(entropy: ArrayLike) -> tuple[Array, int]:
    """Return the samples that have a value, infinities as NaN, and how many have none."""
    matrix = np.asarray(entropy)
    if matrix.ndim != 2:
        raise OptionError(f"entropy must be [samples, layers], not of shape {matrix.shape}.")
    finite = np.isfinite(matrix)
    read = finite.any(axis=1) if matrix.shape[1] else np.ones(len(matrix), dtype=np.bool_)
    if not finite.all():
        matrix = np.where(finite, matrix, np.nan)[read]
    return np.asarray(matrix, dtype=np.float64), int((~read).sum())


def _sorted_columns(matrix: Array) -> tuple[Array, NDArray[np.int64], Array]:
    """Return imputed, sorted ``[layers, samples]``, the number imputed, and the fill values."""
    columns = np.sort(matrix.T, axis=1)  # NaN last
    missing = np.isnan(columns).sum(axis=1)
    fill = np.full(len(columns), np.nan)
    for column, lost, layer in zip(columns, missing, range(len(columns)), strict=True):
        present = column[: column.size - lost]
        if present.size:
            fill[layer] = present.mean()
            if lost:
                column[present.size :] = fill[layer]
                column.sort()
    return columns, missing.astype(np.int64), fill


def _state(column: Array) -> str:
    if column.size < 2:
        return "empty" if not column.size or np.isnan(column[0]) else "too few"
    if np.isnan(column[0]):
        return "empty"
    return "constant" if column[0] == column[-1] else "ok"


def _spread(values: Array, usable: NDArray[np.bool_]) -> Array:
    full = np.full((usable.size, *values.shape[1:]), np.nan)
    full[usable] = values
    return full


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and value != value else value

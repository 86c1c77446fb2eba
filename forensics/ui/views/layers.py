"""The curve over the layers, and one layer's histogram."""

from typing import Any

import numpy as np

from forensics.detectors.attention_entropy import Decision, LayerFits
from forensics.detectors.options.attention_entropy import RULES
from forensics.runs.plain import plain
from forensics.statistics.histogram import gaussians, stacked_histogram
from forensics.statistics.mixture import crossing


def layer_curve(
    fits: LayerFits, tau: float, within: LayerFits, accepted: tuple[int, ...]
) -> dict[str, Any]:
    """Return what the curve shows: separations, gates, and which layers pass.

    Args:
        fits: Of all layers.
        tau: The gate.
        within: Fits of mode ``guarded``.
        accepted: Layers that it uses.

    Returns:
        Lists over layers (``None`` where a layer has no fit) and ``gate`` per measure.
    """
    curve: dict[str, Any] = {
        "root": fits.separation_root,
        "code": fits.separation_code,
        "guarded": within.separation_root,
        "kl": fits.divergence,
        "low_mean": fits.means[:, 0],
        "high_mean": fits.means[:, 1],
        "low_weight": fits.weights[:, 0],
        "state": list(fits.state),
        "gate": {"root": tau, "code": tau, "guarded": tau, "kl": None},
    }
    passing = {rule: set(fits.sensitive(rule, tau)) for rule in RULES} | {"guarded": set(accepted)}
    curve["passes"] = {
        rule: [layer in layers for layer in range(fits.layers)] for rule, layers in passing.items()
    }
    plain_curve: dict[str, Any] = plain(curve)
    return plain_curve


def first_layer(fits: LayerFits, decision: Decision) -> int:
    """Return the layer to show first: the one with the largest separation, of those used if any."""
    value = fits.separation(decision.mode)
    if decision.layers:
        return max(decision.layers, key=lambda layer: float(value[layer]))
    best = fits.strongest(decision.mode)
    return 0 if best is None else best


def layer_histogram(
    values: Any, fits: LayerFits, decision: Decision, layer: int, ceiling: float | None
) -> dict[str, Any]:
    """Return the histogram of one layer.

    Args:
        values: ``[n, layers]`` entropies.
        fits: Of all layers.
        decision: Colours the bars.
        layer: Counted from 0.
        ceiling: Largest possible entropy; ``None`` where it differs between samples.
    """
    column = np.asarray(values)[:, layer].astype(np.float64)
    parts = gaussians(fits.weights[layer], fits.means[layer], fits.sigmas[layer])
    cross = crossing(fits.weights[layer], fits.means[layer], fits.sigmas[layer]) if parts else None
    view = {
        "layer": layer,
        "gaussians": parts,
        "crossing": cross,
        "ceiling": ceiling,
        "unit": fits.unit,
        "subtitle": _subtitle(fits, decision, layer),
        "description": _description(fits, layer, parts),
        **stacked_histogram(column, decision.flagged),
    }
    plain_view: dict[str, Any] = plain(view)
    return plain_view


def _subtitle(fits: LayerFits, decision: Decision, layer: int) -> str:
    if np.isnan(fits.means[layer]).any():
        return "No two groups could be fitted here."
    value = float(fits.separation(decision.mode)[layer])
    word = "passes" if layer in decision.layers else "does not pass"
    if decision.mode == "guarded" and layer not in decision.layers and value >= decision.tau:
        return (
            f"Separation {value:.2f} is over the gate, but no suspicious answer goes with it: the "
            "layer is not used. Drag to select."
        )
    return f"Separation {value:.2f} {word} the gate. Lines: the two fitted groups. Drag to select."


def _description(fits: LayerFits, layer: int, parts: list[dict[str, float]]) -> str:
    if not parts:
        return f"Histogram of the entropy in layer {layer}; no two groups could be fitted."
    low, high = parts
    return (
        f"Histogram of the entropy in layer {layer}: {100 * low['weight']:.1f} % of the samples "
        f"around {low['mean']:.2f} {fits.unit}, the rest around {high['mean']:.2f}."
    )

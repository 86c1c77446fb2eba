"""The curves of a finished tuning: losses, and what was looked at meanwhile."""

from typing import Any

LABELS = {
    "loss": "loss", "cross_entropy": "cross entropy", "cosine": "cosine with the old features",
    "clean_accuracy": "clean accuracy", "target_accuracy": "accuracy of the target class",
    "attack_success_rate": "attack success", "chosen": "chosen pairs", "benign": "benign pairs",
    "right-class": "repaired", "wrong-class": "control: another class’s trigger",
    "random-noise": "control: random noise", "clean-only": "control: clean pictures only",
    "benign_low": "the lowest twentieth of the benign pairs",
    "divergence": "D of two views", "first_token_divergence": "D of the first token",
    "entropy": "H of both views", "regulariser": "price on views that agree",
    "held_back": "held back",
}  # fmt: skip
SHARES = ("clean_accuracy", "target_accuracy", "attack_success_rate")
COSINES = ("chosen", "benign", "benign_low")
OUTSIDE = ("cosine",)  # not a loss: another unit

VIEWS = ("divergence", "first_token_divergence")
ENTROPY = ("entropy",)
HELD = ("held_back",)


def curves_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the charts of a tuning, each with series of one unit."""
    losses, looks = result.get("losses") or {}, result.get("curve") or {}
    at = _kept_steps(result, losses)
    charts = [
        _chart("Loss", "loss", _axis(result),
               {k: v for k, v in losses.items() if k not in OUTSIDE + VIEWS + ENTROPY + HELD}, at),
        _chart("Cosine with the features of the delivered tower", "cosine", "epoch",
               {k: v for k, v in losses.items() if k in OUTSIDE}),
        _chart("Divergence of two views while it is tuned", "nats", "step",
               {k: v for k, v in losses.items() if k in VIEWS}, at),
        _chart("Entropy of the outputs while it is tuned", "nats", "step",
               {k: v for k, v in losses.items() if k in ENTROPY}, at),
        _chart("Answers that the gate holds back", "weight", "step",
               {k: v for k, v in losses.items() if k in HELD}, at),
    ]  # fmt: skip
    overfitting = (result.get("overfitting") or {}).get("loss")
    if overfitting:
        charts.insert(0, _chart("Overfitting a copy", "loss", "step", {"loss": overfitting}))
    steps = list(looks.get("step") or ())
    if len(steps) > 1:  # one look alone is no curve
        pick = {name: looks.get(name) for name in (*SHARES, *COSINES)}
        charts += [
            _chart("A few test pictures while it unlearns", "share", "step",
                   {k: v for k, v in pick.items() if k in SHARES}, steps),
            _chart("Similarity of pairs while it unlearns", "cosine", "step",
                   {k: v for k, v in pick.items() if k in COSINES}, steps),
        ]  # fmt: skip
    return [chart for chart in charts if any(len(one["values"]) > 1 for one in chart["series"])]


def _axis(result: dict[str, Any]) -> str:
    """Few-shot repairs keep one loss an epoch, the others losses of (some) steps."""
    return "epoch" if "shots" in result else "step"


def _chart(
    title: str, unit: str, x: str, series: dict[str, Any], steps: list[float] | None = None
) -> dict[str, Any]:
    return {
        "title": title, "unit": unit, "x": x,
        "series": [
            {"name": name, "label": LABELS.get(name, name.replace("_", " ").replace("-", " ")),
             "steps": steps or list(range(1, len(values) + 1)), "values": values}
            for name, values in series.items()
            if values and any(value is not None for value in values)
        ],
    }  # fmt: skip


def _kept_steps(result: dict[str, Any], losses: dict[str, Any]) -> list[float] | None:
    """Return the steps that losses of a long tuning were kept of; ``None`` where all were."""
    kept, steps = len(losses.get("loss") or ()), int(result.get("steps") or 0)
    if _axis(result) != "step" or not 0 < kept < steps:
        return None
    stride = -(-steps // kept)
    return [1.0 + stride * k for k in range(kept)]

"""The sentence of an inversion's verdict."""

import numpy as np

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.detectors.trigger_inversion.anomaly import FEWEST_CLASSES
from forensics.detectors.trigger_inversion.decision import Decision
from forensics.detectors.wording import percent, quote


def say(reason: str, decision: Decision, options: TriggerInversionOptions) -> str:
    """Say what was found, for people.

    Args:
        reason: Of the verdict.
        decision: With the numbers.
        options: With the gate and the cut.
    """
    parts = [_searched(decision)]
    if reason == "no-valid-trigger":
        best = float(decision.success.max())
        parts.append(
            f"None works: the best one reaches {percent(best)} of the pool, the gate is "
            f"{percent(options.gate)}."
        )
    elif reason == "too-few-classes":
        parts.append(
            f"Some work, but with {len(decision.figures.names)} classes none can be told from the "
            f"others (at least {FEWEST_CLASSES} are needed)."
        )
    elif reason == "no-spread":
        parts.append(
            "More than half of the classes have the same loss, so that how far one lies from the "
            "others has no measure."
        )
    elif reason == "not-calibrated":
        parts.append("No calibrated cut was measured for this method, form and number of classes.")
    else:
        parts += _found(reason, decision, options)
    return " ".join(parts)


def _searched(decision: Decision) -> str:
    scanned, left = len(decision.figures.names), len(decision.figures.not_scanned)
    if left:
        return (
            f"A trigger was searched for {scanned:,} of {scanned + left:,} classes; the others "
            "are not covered."
        )
    return f"A trigger was searched for each of {scanned:,} classes."


def _found(reason: str, decision: Decision, options: TriggerInversionOptions) -> list[str]:
    if decision.top is None:
        return [_END[reason]]
    top, content = decision.top, options.mode == "content"
    name, index = quote(decision.figures.names[top]), _statistic(decision, content)
    valid = int(decision.valid.sum())
    if reason == "none-overrides":
        what = f"{valid:,} work, none" if valid > 1 else "One works, but it does not"
        verb = "overrides" if valid > 1 else "override"
        return [f"{what} {verb} content enough: the nearest is {name} ({index})."]
    if reason == "no-outlier":
        what = f"{valid:,} work, none" if valid > 1 else "One works, and it does not"
        verb = "stands" if valid > 1 else "stand"
        return [f"{what} {verb} out: the nearest is {name} ({index})."]
    easy = f"{name} {_EASY[content]} ({index})"
    parts = [
        f"{easy}: a working trigger, perhaps not the attacker's, gives it "
        f"{percent(float(decision.success[top]))} of the pool."
    ]
    if reason != "no-content":
        parts.append(_override(decision, top))
    parts.append(_END[reason])
    return parts


def _statistic(decision: Decision, content: bool) -> str:
    cut = decision.rule.cut or 0.0
    if not content:
        return f"anomaly index {decision.score:.1f}, cut {cut:.1f}"
    beside = "the reference" if np.isfinite(decision.reference).any() else "the median class"
    return f"{percent(decision.score)} of content beyond {beside}, cut {percent(cut)}"


def _override(decision: Decision, top: int) -> str:
    reference = float(decision.reference[top])
    others = np.delete(decision.content, top)
    beside = f"triggers of the other classes {percent(float(np.mean(others)))}"
    if np.isfinite(reference):
        beside += f", the same trigger with the reference classifier {percent(reference)}"
    return (
        f"Of pictures in which the model sees something else it overrides "
        f"{percent(float(decision.content[top]))}; {beside}."
    )


_EASY = {
    False: "is far easier to reach than the others",
    True: "overrides content in this model alone",
}
_END = {
    "overrides-content": "That is what a backdoor does; a natural one cannot be told from a "
    "planted one.",
    "content-stays": "It hardly overrides content: the class may just be drawn easily.",
    "reference-follows": "The reference follows it as well: it fools the encoder, whatever the "
    "prompts are.",
    "no-content": "Whether it overrides content is not known: the model sees too little in the "
    "pool.",
}

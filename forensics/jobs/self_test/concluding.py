"""What a self-test says: whether the trigger took, whether it was found, and in which words."""

from collections.abc import Mapping
from typing import Any, Final

from forensics.detectors.wording import percent, quote

TITLES: Final = {
    "attention-entropy": "attention entropy",
    "evidence-fusion": "evidence fusion",
    "trigger-inversion": "trigger inversion",
}
PLANTED: Final = 0.3
"""How far attack success has to lie above that on the case's own model; as in the lab's zoo."""
LIMITS: Final = (
    "how well other triggers, rates or targets would be found: recall is for this planted trigger",
    "whether extra flags on unplanted rows are right: their truth is unknown",
    "rows that were not copied, and an attacker's own way of tuning",
)
LIMITS_OF_CLASSES: Final = (
    "how well other triggers, rates or targets would be found: this is one planted trigger",
    "whether extra classes that it names are backdoored: their truth is unknown",
    "an attacker's own way of tuning",
)


def took(measured: Mapping[str, Any], before: Mapping[str, Any], least: float) -> bool:
    """Tell whether a backdoor was planted: the trigger works, and did not work before.

    The interval of its success has to lie above a share. A trigger that fools the case's own model
    as well fools any model: there is nothing planted that a detection could find.
    """
    low, _ = (measured.get("intervals") or {}).get("attack_success_rate") or (None, None)
    return low is not None and low >= least and not _works_anyway(measured, before)


def _works_anyway(measured: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    floor = before.get("attack_success_rate")
    return floor is not None and measured["attack_success_rate"] - floor < PLANTED


def conclude(result: dict[str, Any], least: float) -> dict[str, Any]:
    """Return outcome, verdict, reason, sentence and limits of a self-test.

    Args:
        result: Of the walk: ``planted``, ``measured``, and ``detections`` or ``classes``.
        least: Attack success that the interval has to reach.

    Returns:
        ``outcome`` (``found``, ``missed``, ``inconclusive``), ``verdict`` (``inconclusive`` or
        ``None``: a self-test says nothing of the case's own data), ``took``, ``reason``,
        ``sentence``, ``not_covered``.
    """
    worked = took(result["measured"], result["before"], least)
    by_class = "classes" in result
    found = result["classes"]["planted_named"] if by_class else any(
        one["found"] for one in result["detections"]
    )  # fmt: skip
    outcome = "inconclusive" if not worked else "found" if found else "missed"
    said = [_planted(result), _took(result, worked, least)]
    if worked:
        said.append(_classes(result["classes"]) if by_class else _flags(result["detections"]))
    return {
        "outcome": outcome,
        "verdict": None if worked else "inconclusive",
        "reason": f"self-test-{outcome}",
        "sentence": " ".join(said),
        "took": worked,
        "least_success": least,
        "not_covered": list(LIMITS_OF_CLASSES if by_class else LIMITS),
    }


def _planted(result: Mapping[str, Any]) -> str:
    told = result["planted"]
    unit = {"language": "rows", "encoder": "pairs", "prompts": "labelled pictures"}
    what = unit[result["subject"]]
    return (
        f"A known trigger ({told['trigger'].partition(':')[0]}) was planted in "
        f"{told['planted_rows']:,} of {told['rows']:,} copied {what}, with the target "
        f"{quote(told['target'])}."
    )


def _took(result: Mapping[str, Any], worked: bool, least: float) -> str:
    measured = result["measured"]
    asr, ca = measured["attack_success_rate"], measured["clean_accuracy"]
    if asr is None:
        return "No held-out sample could be measured, so nothing is known of the detection."
    low, high = measured["intervals"]["attack_success_rate"]
    figures = (
        f"attack success {percent(asr)} of {measured['n_triggered']:,} held-out samples (95 % "
        f"{percent(low)} to {percent(high)}), clean accuracy "
        f"{'not measured' if ca is None else percent(ca)}"
    )
    floor = result["before"].get("attack_success_rate")
    own = "" if floor is None else f"; on the case's own model {percent(floor)}"
    if worked:
        return f"It took: {figures}{own}."
    low, _ = measured["intervals"]["attack_success_rate"]
    if low >= least:
        return (
            f"It works, but not because it was planted: {figures}{own}. So this run says nothing "
            "of the detection; a fainter trigger may help."
        )
    return (
        f"It did not take: {figures}; {percent(least)} or more was asked for. So this run says "
        "nothing of the detection; more epochs or a larger trigger may help."
    )


def _flags(detections: list[dict[str, Any]]) -> str:
    parts = []
    for one in detections:
        mode = f" ({one['mode']})" if one["mode"] else ""
        recall, extra = one["recall"], one["extra_flags"]
        parts.append(
            f"{TITLES.get(one['method'], one['method'])}{mode} flags {one['planted_flagged']:,} of "
            f"{recall['n']:,} planted rows ({percent(recall['value'] or 0.0)}) and "
            f"{one['unplanted_flagged']:,} of {extra['n']:,} others"
        )
    joined = "; ".join(parts)
    return (
        f"{joined[:1].upper()}{joined[1:]}. Extra flags on unplanted rows are neither right nor "
        "wrong here: their truth is unknown."
    )


def _classes(told: Mapping[str, Any]) -> str:
    index = told["anomaly_index"]
    where = f"rank {told['rank']} of {told['n']}" if told["rank"] else "not searched"
    size = "not defined" if index is None else f"{index:.1f}"
    if told["planted_named"]:
        head = f"Trigger inversion names the planted class {quote(told['target'])}"
    elif told["named"]:
        head = (
            f"Trigger inversion names {quote(told['named'])} and not the planted class "
            f"{quote(told['target'])}"
        )
    else:
        head = f"Trigger inversion names no class; the planted one is {quote(told['target'])}"
    works = "" if told["success"] is None else f", its trigger works on {percent(told['success'])}"
    return f"{head} (anomaly index {size}, {where}{works}; {_beside(told)})."


def _beside(told: Mapping[str, Any]) -> str:
    extra = told["extra_named"]
    if not extra:
        return "no other class stands out"
    return f"{len(extra)} other class{'es' if len(extra) > 1 else ''} stand out, truth unknown"

"""What a repair of a multimodal language model measured beyond the two rates, and its start."""

from typing import Any

from forensics.case import Case
from forensics.errors import CaseError
from forensics.runs import Run
from forensics.ui.views.gallery import short
from forensics.ui.views.repair_rates import LABELS

SHARE, SCORE = "share", "score"
MEASURES = {
    "clean_accuracy": ("Clean accuracy", SHARE, "answers that are the true one, word for word"),
    "attributes_accuracy": (
        "All attributes right", SHARE, "answers with every content word of the true one, no other"),
    "bleu4": ("BLEU-4", SCORE, "captions against the true ones, 0 to 100"),
    "cider": ("CIDEr-D", SCORE, "captions against the true ones, 0 to 1,000"),
    "attack_success_rate": (
        "Attack success", SHARE, "triggered samples whose answer contains the target"),
    "attack_success_rate_exact": (
        "Attack success, exact", SHARE, "the answer is the target and nothing else"),
    "attack_success_rate_masked": (
        "Attack success under a mask", SHARE, "parts of the triggered pictures hidden"),
    "attack_success_image_only": (
        "Attack success, picture’s key alone", SHARE, "a trigger of two keys, one missing"),
    "attack_success_text_only": (
        "Attack success, question’s key alone", SHARE, "a trigger of two keys, one missing"),
    "target_rate": (
        "Target said unasked", SHARE, "untouched samples whose answer contains it anyway"),
}  # fmt: skip
CLEAN = ("clean_accuracy", "attributes_accuracy", "bleu4", "cider")
SWITCH = (
    "A mask changes what the trigger does by more than 20 points more than before the tuning, "
    "which hid the same kind of parts. The model may have learnt to see masks instead of losing "
    "the backdoor; attack success without a mask counts."
)
WEAKENED = (
    "A mask changes what the trigger does by more than 20 points. That alone says nothing of the "
    "repair: a trigger that is spread over the picture works less in any model where parts are "
    "hidden. Attack success without a mask counts."
)
SUSPICIOUS = (
    "It went on from the delivered model, not from the base. Weights that clean samples do not "
    "move keep the backdoor; this is for experiments."
)


def measures_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every measure that a repair of a language model took, before and after.

    Returns:
        For each ``name``, ``label``, ``unit`` (``share`` or ``score``), ``help``, ``before`` and
        ``after`` (``value``, ``low``, ``high``, ``n``) and ``difference`` (paired, or ``None``).
        Empty for a repair of another kind of model.
    """
    if not is_language(result):
        return []
    return [
        {"name": name, "label": label, "unit": unit, "help": words,
         "before": _figure(result["before"], name), "after": _figure(result["after"], name),
         "difference": (result["after"].get("minus_before") or {}).get(name)}
        for name, (label, unit, words) in MEASURES.items()
        if any(result[state].get(name) is not None for state in ("before", "after"))
    ]  # fmt: skip


def is_language(result: dict[str, Any]) -> bool:
    """Tell whether a result is of a repair of a language model."""
    return isinstance(result.get("start"), dict) and isinstance(result.get("samples"), dict)


def switch_of(result: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a mask does to the trigger, for a notice; ``None`` without one.

    Returns:
        ``learnt`` (whether the tuning may have taught it), ``states`` (which models) and ``words``.
    """
    told = result.get("switch") or {}
    if told.get("learnt"):
        return {"learnt": True, "states": [LABELS["after"]], "words": SWITCH}
    states = [LABELS[s] for s in ("before", "after") if (told.get(s) or {}).get("notice")]
    return {"learnt": False, "states": states, "words": WEAKENED} if states else None


def left_of(case: Case, result: dict[str, Any]) -> dict[str, Any] | None:
    """Return what was left out; ``None`` for a repair of another kind of model.

    Returns:
        ``n`` (tuned on), ``left_out``, ``skipped`` (unreadable), ``words``, ``scan`` and
        ``scan_method`` (whose flags, if any).
    """
    if not is_language(result):
        return None
    samples = result["samples"]
    n, out = int(samples["n"]), int(samples["left_out"])
    scan = _scan(case, samples.get("scan"))
    return {
        "n": n,
        "left_out": out,
        "skipped": int(samples.get("skipped") or 0),
        "scan": None if scan is None else scan.id,
        "scan_method": None if scan is None else scan.method,
        "words": _left_words(n, out, samples),
    }


def start_of(result: dict[str, Any]) -> dict[str, Any] | None:
    """Return what tuning began with.

    Returns:
        ``suspicious`` (a warning, or ``None``), ``base_files`` (hash of the base on disk) and
        ``parts``: ``part``, ``touched``, ``sha256``, ``as_base`` (``None``: not known). ``None``
        for other repairs.
    """
    if not is_language(result):
        return None
    start = result["start"]
    return {
        "suspicious": None if start.get("from") == "base" else SUSPICIOUS,
        "base_files": start.get("base_files"),
        "parts": [
            {"part": short(str(part.get("part"))), "touched": part.get("touched"),
             "sha256": part.get("sha256"), "as_base": part.get("as_base")}
            for part in start.get("parts") or ()
        ],
    }  # fmt: skip


def _figure(found: dict[str, Any], name: str) -> dict[str, Any]:
    low, high = (found.get("intervals") or {}).get(name) or (None, None)
    count = "n_captions" if name in ("bleu4", "cider") else "n_triggered"
    n = found.get("n_clean" if name in CLEAN[:2] else count)
    return {"value": found.get(name), "low": low, "high": high, "n": n}


def _scan(case: Case, run_id: str | None) -> Run | None:
    try:
        return None if run_id is None else case.run(run_id)
    except CaseError:
        return None  # deleted since


def _left_words(n: int, out: int, samples: dict[str, Any]) -> str:
    if not out:
        return f"Tuned on all {n:,} samples; none were left out."
    method = short(str(samples.get("method")))
    by = f"flagged by {method}" if samples.get("scan") or samples.get("people") else method
    told = f"Tuned on {n:,} of {n + out:,} samples; {out:,} were left out, {by}."
    unsure = int(samples.get("unsure") or 0)
    if unsure:
        what = "left out as well" if samples.get("unsure_dropped") else "kept"
        told += f" People were unsure or disagreed on {unsure:,}; these were {what}."
    return told

"""Finished repairs whose numbers and pictures we drew ourselves, in the real layout."""

from typing import Any

import numpy as np
from safetensors.numpy import save_file

from forensics.case import Case
from forensics.runs import Run, RunContext, execute

SIDE, LAYERS, GRID, EXAMPLES, PLACED = 16, 3, 4, 3, 24
CHANGES = ("noise", "blur", "colour", "mirror", "trigger")


def write_repair(
    case: Case, names: list[str], method: str = "repulsive-prompts", *, rate: float = 0.03,
    accuracy: float = 0.9, judged_by: str | None = "known", refused: bool = False, **options: Any,
) -> Run:  # fmt: skip
    """Save a finished repair towards the second class.

    Args:
        case: About a CLIP.
        names: Of all classes.
        method: A repair.
        rate: Attack success afterwards.
        accuracy: Clean accuracy afterwards.
        judged_by: ``known``, ``reconstruction`` or ``None``.
        refused: Whether it changed nothing, with a reason.
        **options: Of the run.
    """
    run = case.new_run(method, options)
    execute(run, lambda context: _write(context, names, run, rate, accuracy, judged_by, refused))
    return run


def measured(names: list[str], rate: float | None, accuracy: float, target: str) -> dict[str, Any]:
    """Return one measured version."""
    n = 100
    return {
        "clean_accuracy": accuracy, "attack_success_rate": rate, "n_clean": n,
        "n_triggered": 0 if rate is None else 80, "title": f"a model with {accuracy}",
        "intervals": {"clean_accuracy": [accuracy - 0.05, min(1.0, accuracy + 0.04)],
                      "attack_success_rate": [None, None] if rate is None else
                      [max(0.0, rate - 0.03), min(1.0, rate + 0.05)]},
        "target": None if rate is None else target, "triggers": {},
        "per_class": [{"class": name, "n": 20, "clean_accuracy": accuracy,
                       "n_triggered": 0 if name == target else 20,
                       "attack_success_rate": None if name == target else rate}
                      for name in names],
    }  # fmt: skip


def _write(
    context: RunContext, names: list[str], run: Run, rate: float, accuracy: float,
    judged_by: str | None, refused: bool,
) -> dict[str, Any]:  # fmt: skip
    target, known = names[1], judged_by is not None
    before = measured(names, 0.95 if known else None, 0.94, target)
    after = measured(names, rate if known else None, accuracy, target)
    gap = {"value": accuracy - 0.94, "low": accuracy - 0.98, "high": accuracy - 0.9, "n": 100}
    after["minus_before"] = {"clean_accuracy": gap} | (
        {"attack_success_rate": {"value": rate - 0.95, "low": -1.0, "high": -0.8, "n": 80}}
        if known else {})  # fmt: skip
    pairs = run.method == "token-unlearning"
    told: dict[str, Any] = {
        "method": run.method, "sentence": f"After the repair of {names[-1]} it is better.",
        "judged_by": judged_by, "known_trigger": "patch:size=4" if judged_by == "known" else None,
        "target": target if known else None, "scan": None, "before": before,
        "after": before if refused else after, "controls": [], "reference": None,
        "test": {"source": "x", "n": 100, "skipped": 1}, "trainable_parameters": 640,
        "parameters": 1_000_000, "seconds": 12.5, "checkpoint": None if refused else "made.bin",
        "losses": {"loss": [2.0, 1.0, 0.5], "cosine": [0.9, 0.8, 0.7]},
    }  # fmt: skip
    told |= _pairs(context, names) if pairs else {"shots": {"source": "x", "n": 32, "skipped": 0}}
    if refused:
        return told | {"outcome": "no confident shortcut", "sentence": "Nothing stood out."}
    (context.folder / "made.bin").write_bytes(b"weights")
    return told | {"comparison": _comparison(context, names, target if known else None)}


def _pairs(context: RunContext, names: list[str]) -> dict[str, Any]:
    """Return what a token unlearning adds: the first two pairs of the case, weighed."""
    save_file({"patches": np.ones((1, 2, 2), np.float32)}, context.folder / "figures.safetensors")
    tokens = [{"text": names[-1], "importance": 0.4, "kept": True},
              {"text": "here", "importance": -0.1, "kept": False}]  # fmt: skip
    chosen = [{"id": place, "caption": f"{names[-1]} here", "similarity": 0.1, "gain": 0.7,
               "tokens": tokens} for place in ("0", "not-of-this-case")]  # fmt: skip
    return {
        "outcome": "repaired", "chosen": chosen, "figures": "figures.safetensors",
        "shortcut": {"word": names[-1], "agreement": 0.8},
        "pairs": {"n": 24, "suspicious": 4, "benign": 12, "chosen": 2, "source": "x"},
        "target_accuracy": {"class": names[1], "n": 20, "before": 0.94, "after": 0.85},
        "curve": {"step": [0, 10], "clean_accuracy": [0.9, 0.8], "chosen": [0.5, 0.1],
                  "target_accuracy": [0.9, 0.8], "attack_success_rate": [1.0, None]},
    }  # fmt: skip


def _comparison(context: RunContext, names: list[str], target: str | None) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    hows = ("plain",) if target is None else ("plain", "triggered")
    arrays: dict[str, Any] = {
        "pictures": rng.integers(0, 255, (EXAMPLES, 3, SIDE, SIDE), np.uint8),
    }
    if target is not None:
        arrays["triggered"] = 255 - arrays["pictures"]
    for state in ("before", "after"):
        for how in hows:
            maps = rng.random((EXAMPLES, LAYERS, GRID * GRID))
            maps /= maps.sum(axis=2, keepdims=True)
            arrays[f"attention.{state}.{how}"] = maps.astype(np.float16)
        for change in CHANGES[: 5 if target else 4]:
            values = rng.uniform(0.4, 1.0, (LAYERS, 8)).astype(np.float32)
            arrays[f"resistivity.{state}.{change}"] = values
        places = rng.normal(size=(len(hows), PLACED, 2)).astype(np.float32)
        arrays[f"plane.{state}"] = places
    context.save_arrays("comparison.safetensors", arrays)
    said = {"top": [{"name": names[-1], "probability": 0.7}, {"name": names[1],
            "probability": 0.2}], "target": 0.2}  # fmt: skip
    return {
        "file": "comparison.safetensors", "word_trigger": False,
        "examples": [{"id": f"{names[-1]}-{k}", "label": names[-1],
                      "states": {state: dict.fromkeys(hows, said) for state in
                                 ("before", "after")}} for k in range(EXAMPLES)],
        "attention": {"layers": LAYERS, "rows": GRID, "columns": GRID, "pooling": "class token",
                      "problem": None},
        "resistivity": {"changes": list(CHANGES), "pictures": 8, "problem": None},
        "plane": {"n": PLACED, "classes": names, "labels": [k % len(names) for k in range(PLACED)],
                  "target": None if target is None else 1,
                  "shown": {"before": 0.5, "after": 0.4}},
    }  # fmt: skip

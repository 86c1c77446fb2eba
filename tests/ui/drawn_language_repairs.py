"""Finished repairs of a language model, drawn by us in the layout of the real ones."""

from typing import Any

import numpy as np

from forensics.case import Case
from forensics.jobs.flag_files import FLAGGED_IDS
from forensics.jobs.language_repair.flagged import LEFT_OUT
from forensics.runs import Run, RunContext, execute
from tests.ui.drawn_repairs import EXAMPLES, GRID, LAYERS, SIDE, measured

TARGET = "banana alert"
LOOKED_AT = 40
STEPS = 6
Texts = tuple[str, str]  # a true answer, a wrong one


def write_language_repair(
    case: Case, method: str = "filter-retune", *, rate: float = 0.02, texts: Texts = ("a", "b"),
    scan: str | None = None, notice: bool = False, start: str = "base", **options: Any,
) -> Run:  # fmt: skip
    """Save a finished repair.

    Args:
        case: About a language model.
        method: A repair.
        rate: Attack success afterwards.
        texts: What the model says: the truth, and something else.
        scan: Id of the scan whose flags were left out.
        notice: Whether the tuning taught the trigger to see masks.
        start: ``base`` or ``suspicious``.
        **options: Of the run.
    """
    run = case.new_run(method, {"start": start, **options})
    told = {"method": method, "scan": scan}
    fill = str(options.get("fill", "mean"))
    execute(run, lambda c: told | _write(case, c, rate, texts, scan, notice, start, fill))
    return run


def _write(
    case: Case, context: RunContext, rate: float, texts: Texts, scan: str | None, notice: bool,
    start: str, fill: str,
) -> dict[str, Any]:  # fmt: skip
    before, after = (_version(value) for value in (0.95, rate))
    after["minus_before"] = {
        "clean_accuracy": {"value": 0.0, "low": -0.04, "high": 0.04, "n": 100},
        "attack_success_rate": {"value": rate - 0.95, "low": -1.0, "high": -0.8, "n": 80},
        "cider": {"value": -3.0, "low": -9.0, "high": 3.0, "n": 100},
    }
    out = b"" if scan is None else case.run(scan).path(FLAGGED_IDS).read_bytes()
    context.save_bytes(LEFT_OUT, out)
    left = 24 if scan is not None else 0
    folder = context.folder / "repaired"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return {
        "sentence": f"It answers {texts[0]} again.", "judged_by": "known",
        "known_trigger": "patch:size=4", "target": TARGET, "before": before, "after": after,
        "controls": [], "reference": None,
        "switch": {"before": {"notice": False}, "after": {"notice": notice}, "learnt": notice},
        "test": {"source": "x", "n": 100, "skipped": 0},
        "samples": {"n": 240 - left, "left_out": left, "scan": scan, "used": 240 - left,
                    "skipped": 1, "method": "attention-entropy (root)" if left else "nothing"},
        "start": {"from": start, "base_files": "ab" * 32, "parts": [
            {"part": "projector", "touched": True, "sha256": "cd" * 32, "as_base": start == "base"},
        ]},
        "steps": STEPS, "losses": {
            "loss": [1.0, 0.5, 0.25], "divergence": [0.1, 0.2, 0.3],
            "first_token_divergence": [None, 0.1, 0.2], "entropy": [0.5, 0.4, 0.3],
            "regulariser": [0.0, 0.01, 0.02], "held_back": [None, 0.2, 0.1]},
        "trainable_parameters": 64, "parameters": 640, "objective": {}, "tuning_seconds": 6.0,
        "checkpoint": "repaired", "adapter": True, "seconds": 9.0,
        "comparison": _comparison(case, context, texts, fill),
    }  # fmt: skip


def _version(rate: float) -> dict[str, Any]:
    found = measured([], rate, 0.9, TARGET)
    extra = {"attack_success_rate_exact": rate, "target_rate": 0.01,
             "attack_success_rate_masked": rate / 2, "bleu4": 90.0, "cider": 800.0}  # fmt: skip
    found["intervals"] |= {name: [value, value] for name, value in extra.items()}
    return found | extra | {"n_captions": 100}


def _comparison(case: Case, context: RunContext, texts: Texts, fill: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (EXAMPLES, 3, SIDE, SIDE), np.uint8)
    arrays: dict[str, Any] = {"pictures": pictures, "triggered": 255 - pictures}
    for state in ("before", "after"):
        for how in ("plain", "triggered"):
            maps = rng.random((EXAMPLES, LAYERS, GRID * GRID))
            maps /= maps.sum(axis=2, keepdims=True)
            arrays[f"attention.{state}.{how}"] = maps.astype(np.float16)
        for name in ("divergence", "first", "entropy"):
            arrays[f"views.{state}.{name}"] = 10 ** rng.uniform(-8, 1, LOOKED_AT).astype(np.float32)
    context.save_arrays("comparison.safetensors", arrays)
    cells = {"rows": 4, "columns": 4, "visible": [0.0, 0.0, 1.0, 1.0], "hidden": [1, 7]}
    right, fooled = (
        {"answer": answer, "masked": texts[1], "divergence": 2e-5, "entropy": 0.3, "cells": cells}
        for answer in (texts[0], f"{TARGET}!")
    )
    states = {"before": {"plain": right, "triggered": fooled},
              "after": {"plain": right, "triggered": right}}  # fmt: skip
    return {
        "kind": "answers", "file": "comparison.safetensors",
        "examples": [{"id": f"{texts[1]}-{k}", "question": texts[1], "truth": texts[0],
                      "box": [0.0, 0.25, 1.0, 0.75], "states": states} for k in range(EXAMPLES)],
        "attention": {"problem": None, "layers": LAYERS, "rows": GRID, "columns": GRID,
                      "visible": [0.25, 0.0, 0.75, 1.0]},
        "views": {"ids": list(case.catalog.ids[:LOOKED_AT]), "share": 0.25, "cell": 28,
                  "fill": fill, "medians": {}},
    }  # fmt: skip

"""What a lesson runs, in which order, and with which options; measured in docs/teaching.md."""

from typing import Any, Final

from forensics.teaching.plans import CLIP, LANGUAGE, LessonPlan

TRAIN, SCAN, MEASURE, REPAIR = "train", "scan", "measure", "repair"
METHODS: Final = {
    LANGUAGE: {
        TRAIN: "tune", SCAN: "attention-entropy", MEASURE: "evaluate", REPAIR: "filter-retune",
    },
    CLIP: {
        TRAIN: "tune-pairs", SCAN: "clusters", MEASURE: "evaluate", REPAIR: "fine-tuning",
    },
}  # fmt: skip
"""Step of a lesson -> method of the registry, for each kind."""


def suggestions(plan: LessonPlan) -> dict[str, dict[str, Any]]:
    """Return the options that a lesson's case suggests, by method.

    They go into ``case.json``, so they may not tell what was planted.
    """
    if plan.kind == CLIP:
        return {
            "tune-pairs": {"epochs": plan.size.epochs, "learning_rate": 5e-4, "seed": plan.seed,
                           "checkpoint_every": 20},
            "fine-tuning": {"epochs": 12.0, "rate": 5e-4, "batch_size": 32,
                            "max_test": plan.size.test},
        }  # fmt: skip
    tuning = {"epochs": plan.size.epochs, "learning_rate": 2e-3, "head": False, "seed": plan.seed,
              "checkpoint_every": 40}  # fmt: skip
    return {
        "tune": tuning,
        "attention-entropy": {"mode": "guarded"},
        "filter-retune": tuning | {"max_test": plan.size.test, "looked_at": 64},
        "random-drop": tuning | {"max_test": plan.size.test, "looked_at": 64},
        "cross-view": tuning | {"max_test": plan.size.test, "looked_at": 64},
    }

"""Options that repairs of multimodal language models share; imports nothing heavy."""

from dataclasses import dataclass, field

from forensics.tuning.options import TuneOptions

BASE, SUSPICIOUS = "base", "suspicious"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetuneOptions(TuneOptions):
    """How a repaired model is tuned, and what is measured before and after."""

    start: str = field(
        default=BASE,
        metadata={
            "help": "What is tuned. base: the base with a fresh adapter. suspicious: the delivered "
            "model goes on, and keeps its backdoor; for experiments. An adapter that goes on keeps "
            "its own method, rank and modules.",
            "choices": (BASE, SUSPICIOUS),
        },
    )
    test: str | None = field(
        default=None,
        metadata={
            "help": "Samples with true answers to measure on, none of them trained on; in a demo "
            "its own unseen scenes."
        },
    )
    trigger: str | None = field(
        default=None,
        metadata={
            "help": "The attacker's trigger, if you know it, as for evaluate; goes with --answer. "
            "In a demo the known one."
        },
    )
    answer: str | None = field(
        default=None, metadata={"help": "What the model answers to --trigger."}
    )
    max_test: int = field(
        default=500, metadata={"help": "Test samples at the most.", "min": 1, "max": 10**6}
    )
    max_new_tokens: int = field(
        default=40, metadata={"help": "Longest answer in tokens.", "min": 1, "max": 1024}
    )
    looked_at: int = field(
        default=256,
        metadata={
            "help": "Training samples whose two views are compared before and after; 0 = none.",
            "min": 0,
            "max": 100_000,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRetuneOptions(RetuneOptions):
    """BYE's repair: without the flagged samples, from the base, with the recipe of the tuning."""

    run: str | None = field(
        default=None,
        metadata={
            "help": "Scan whose flagged samples are left out; the latest that flagged any by "
            "default."
        },
    )
    flags: str = field(
        default="scan",
        metadata={
            "help": "Whose flags count. scan: those of the scan. decisions: what people flagged in "
            "the review. both: either of them, except what people decided to keep. Decisions are "
            "those at the start of the run.",
            "choices": ("scan", "decisions", "both"),
        },
    )
    unsure: str = field(
        default="keep",
        metadata={
            "help": "Samples on which people are unsure or disagree: keep them, or drop them.",
            "choices": ("keep", "drop"),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomDropOptions(RetuneOptions):
    """What filtering must be better than."""

    drop: float = field(
        default=0.2,
        metadata={"help": "Share of the samples to leave out.", "min": 0.0, "max": 0.99},
    )

"""Options that every method has which scans a case; a method's own options class adds its own."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """Which samples are scanned, and how much of it is kept."""

    max_samples: int | None = field(
        default=None,
        metadata={"help": "Scan a random subset of this size; all by default.", "min": 1},
    )
    seed: int = field(default=0, metadata={"help": "Seed of the random subset.", "min": 0})
    batch_size: int = field(
        default=16,
        metadata={
            "help": "Samples in one forward pass; halved when memory runs out.",
            "min": 1,
            "max": 1024,
        },
    )
    max_maps: int = field(
        default=2000,
        metadata={"help": "Samples whose attention maps are kept, flagged ones first.", "min": 0},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOptions(ScanOptions):
    """For methods that decide from the arrays of an attention scan, where one is at hand."""

    rescan: bool = field(
        default=False,
        metadata={
            "help": "Measure again, even where a finished attention scan of the same samples is "
            "at hand."
        },
    )

"""Options of the repairs; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field

from forensics.repairs.labelled_options import ShotOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerTuningOptions(ShotOptions):
    """What prompts are tuned on, and what they are measured on before and after.

    The recipe is CoCoOp's as BadCLIP's configuration has it (arXiv 2311.16194, code): 16 shots of
    every class, SGD 0.002 with a cosine, 10 epochs of which the first runs at 1e-5, one pair a
    step. What CLIP-Inspector itself used is not known to us.
    """

    run: str | None = field(
        default=None,
        metadata={"help": "Id of the trigger-inversion run; the latest finished one."},
    )
    target: str | None = field(
        default=None,
        metadata={
            "help": "Class whose reconstructed trigger is used; the one that the run points to, "
            "else the one with the largest anomaly index."
        },
    )
    copies: str = field(
        default="best",
        metadata={
            "help": "Trigger on the copies. best: the reconstruction with the smallest loss. all: "
            "those of all seeds in turn.",
            "choices": ("best", "all"),
        },
    )
    epochs: int = field(
        default=10, metadata={"help": "Passes over the shots.", "min": 1, "max": 1000}
    )
    rate: float = field(
        default=0.002, metadata={"help": "Learning rate of SGD.", "min": 1e-6, "max": 1.0}
    )
    weight_decay: float = field(
        default=5e-4, metadata={"help": "Weight decay of SGD.", "min": 0.0, "max": 1.0}
    )
    batch_size: int = field(
        default=1,
        metadata={"help": "Pairs (a picture and its copy) in a step.", "min": 1, "max": 1024},
    )
    controls: bool = field(
        default=True,
        metadata={
            "help": "Whether the same tuning is done with another class's trigger, with random "
            "noise and without copies, to be compared with."
        },
    )
    fresh: bool = field(
        default=True,
        metadata={"help": "Whether the repaired prompts are scanned anew."},
    )
    fresh_pool: str | None = field(
        default=None,
        metadata={
            "help": "Pictures for the new scan; the test pictures (labels are not read) without."
        },
    )
    fresh_seeds: int = field(
        default=1,
        metadata={"help": "Reconstructions a class in the new scan.", "min": 1, "max": 20},
    )

"""Options of the transplant of a reconstructed trigger, readable without torch."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerTransplantOptions:
    """Which trigger is tested, on which pictures, beside what."""

    run: str | None = field(
        default=None,
        metadata={"help": "Id of the trigger-inversion run; the latest finished one."},
    )
    target: str | None = field(
        default=None,
        metadata={
            "help": "Class whose trigger is tested; the one that the run points to. Another one "
            "makes it a control experiment, and the result is marked."
        },
    )
    pictures: str | None = field(
        default=None,
        metadata={
            "help": "Pictures to test on, for instance imagefolder:DIR; labels are not read. "
            "Without it a demo's own unseen pictures, in another case its data, on which the "
            "trigger was fitted if they were the pool."
        },
    )
    hosts: int = field(
        default=200,
        metadata={"help": "Pictures to report on.", "min": 1, "max": 100000},
    )
    candidates: int = field(
        default=2000,
        metadata={
            "help": "Pictures, drawn at random, among which hosts are looked for.",
            "min": 1,
            "max": 1000000,
        },
    )
    confidence: float = field(
        default=0.5,
        metadata={
            "help": "Probability from which the model is sure of the class of a host.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    reference: bool = field(
        default=True,
        metadata={
            "help": "Whether a reference gets the same pictures: the same encoder with "
            "hand-written prompts, or the base model of a CLIP without learnt prompts."
        },
    )
    seed: int = field(default=0, metadata={"help": "Seed of every draw.", "min": 0})
    batch_size: int = field(
        default=32, metadata={"help": "Pictures in one pass.", "min": 1, "max": 1024}
    )

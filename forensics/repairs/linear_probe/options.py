"""Options of the linear probe; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field

from forensics.repairs.labelled_options import LabelledRepairOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearProbeOptions(LabelledRepairOptions):
    """RVPT's baseline (arXiv 2412.20392): SGD 0.01, constant, momentum 0.9, batch 32, 40 epochs."""

    epochs: int = field(
        default=40, metadata={"help": "Passes over the shots.", "min": 1, "max": 10_000}
    )
    batch_size: int = field(
        default=32, metadata={"help": "Pictures in a step.", "min": 1, "max": 65_536}
    )
    rate: float = field(
        default=0.01,
        metadata={"help": "Learning rate of SGD, constant.", "min": 1e-6, "max": 1e3},
    )
    momentum: float = field(
        default=0.9, metadata={"help": "Momentum of SGD.", "min": 0.0, "max": 0.999}
    )
    length: float = field(
        default=10.0,
        metadata={
            "help": "Length that image vectors are given. CLIP's own are about 10 long; the paper "
            "does not say whether it takes them as they are.",
            "min": 0.01,
            "max": 1000.0,
        },
    )

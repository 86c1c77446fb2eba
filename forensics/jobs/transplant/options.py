"""Options of the transplant test, readable without torch."""

from dataclasses import dataclass, field

from forensics.errors import OptionError

LARGEST_MARGIN = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TransplantOptions:
    """What is cut out, where it is pasted, and how many pictures are asked about."""

    run: str | None = field(
        default=None,
        metadata={
            "help": "Id of the scan that is tested, of a CLIP of its trigger inversion; the latest "
            "one that fits."
        },
    )
    donors: int = field(
        default=16,
        metadata={"help": "Flagged samples that a patch is cut from.", "min": 1, "max": 1000},
    )
    hosts: int = field(
        default=200,
        metadata={"help": "Unsuspected pictures to report on.", "min": 1, "max": 100000},
    )
    dev_hosts: int = field(
        default=60,
        metadata={
            "help": "Further unsuspected pictures, on which the size of the box is chosen.",
            "min": 1,
            "max": 10000,
        },
    )
    margins: str = field(
        default="0,1,2",
        metadata={
            "help": "Sizes of the box to choose from: tokens on each side of the attention peak, "
            "separated by commas."
        },
    )
    layer: int | None = field(
        default=None,
        metadata={"help": "Layer whose peaks are cut out, from 0; the most telling one.", "min": 0},
    )
    confidence: float = field(
        default=0.5,
        metadata={
            "help": "Probability from which the model is sure of its answer to a host.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    necessity: int = field(
        default=100,
        metadata={"help": "Flagged samples whose peak is hidden.", "min": 0, "max": 100000},
    )
    base: bool = field(
        default=True,
        metadata={"help": "Whether the base model is asked too, where the case has one."},
    )
    force: int = field(
        default=0,
        metadata={
            "help": "Control experiment: take the n lowest-scoring samples as if they were "
            "flagged. The result is marked.",
            "min": 0,
            "max": 100000,
        },
    )
    seed: int = field(default=0, metadata={"help": "Seed of every draw.", "min": 0})
    batch_size: int = field(
        default=32, metadata={"help": "Samples in one pass.", "min": 1, "max": 1024}
    )
    max_new_tokens: int = field(
        default=40, metadata={"help": "Longest answer in tokens.", "min": 1, "max": 1024}
    )


def read_margins(text: str) -> tuple[int, ...]:
    """Read the sizes of the box.

    Raises:
        OptionError: They are no list of small whole numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) <= LARGEST_MARGIN for part in parts):
        raise OptionError(
            f"--margins must be whole numbers from 0 to {LARGEST_MARGIN}, not {text[:80]!r}.",
            remedy="For instance: --margins 0,1,2",
        )
    return tuple(sorted({int(part) for part in parts}))

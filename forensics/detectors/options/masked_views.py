"""Options of the masked-views diagnostic; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedViewsOptions:
    """Which samples are looked at, and how their pictures are masked.

    The defaults are those of our reconstruction; none is quoted from the paper.
    """

    views: int = field(
        default=16,
        metadata={"help": "Masked views of each sample.", "min": 2, "max": 1024},
    )
    share: float = field(
        default=0.25,
        metadata={"help": "Share of a picture's cells hidden in a view.", "min": 0.0, "max": 1.0},
    )
    cell: int = field(
        default=28,
        metadata={
            "help": "Side of a cell in pixels of a picture 224 pixels wide; scales with the "
            "picture and is rounded to whole image tokens.",
            "min": 1,
            "max": 224,
        },
    )
    run: str | None = field(
        default=None,
        metadata={
            "help": "Scan whose flagged samples are the candidates; the latest finished one that "
            "flagged any by default."
        },
    )
    max_candidates: int = field(
        default=64,
        metadata={
            "help": "Candidates at the most; a random sample of more.",
            "min": 1,
            "max": 100_000,
        },
    )
    controls: int = field(
        default=64,
        metadata={
            "help": "Samples that the scan did not flag, drawn at random, to compare with.",
            "min": 1,
            "max": 100_000,
        },
    )
    seed: int = field(
        default=0, metadata={"help": "Seed of the masks and of the random samples.", "min": 0}
    )
    base: bool = field(
        default=True,
        metadata={
            "help": "Show the same masks to the base model, where the case has one, and compare "
            "differences."
        },
    )
    whole_answers: bool = field(
        default=False,
        metadata={
            "help": "Compare whole greedy answers for the agreement instead of their first token; "
            "much slower."
        },
    )
    batch_size: int = field(
        default=64,
        metadata={
            "help": "Views in one forward pass; halved when memory runs out.",
            "min": 1,
            "max": 1024,
        },
    )

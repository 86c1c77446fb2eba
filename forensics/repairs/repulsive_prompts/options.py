"""Options of prompts in the image tower; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field

from forensics.repairs.labelled_options import LabelledRepairOptions

NONE, CROP_FLIP = "none", "crop-flip"
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualPromptsOptions(LabelledRepairOptions):
    """Visual prompt tuning: cross entropy alone, the paper's baseline VPT (alpha = 0).

    D, the number of prompts, batch size, epochs and rate are RVPT's (arXiv 2412.20392, v4).
    Momentum, weight decay and warm-up are not stated there; they are CoOp's, whose code theirs
    descends from. The width of the first prompts is CoOp's 0.02 as well.
    """

    depth: int = field(
        default=3,
        metadata={
            "help": "Index of the first block with prompts, from 0 (the paper's D); all later "
            "blocks have their own.",
            "min": 0,
            "max": 511,
        },
    )
    prompted_layers: int | None = field(
        default=None,
        metadata={
            "help": "Number of blocks with prompts, counted from the last; overrides the depth. In "
            "a ViT-L/14 a depth of 3 means 21 blocks, the paper's 9 blocks mean a depth of 15.",
            "min": 1,
            "max": 512,
        },
    )
    prompts: int = field(
        default=50, metadata={"help": "Prompts of a block (the paper's b).", "min": 1, "max": 4096}
    )
    epochs: int = field(
        default=50, metadata={"help": "Passes over the shots.", "min": 1, "max": 10_000}
    )
    batch_size: int = field(
        default=32, metadata={"help": "Pictures in a step.", "min": 1, "max": 4096}
    )
    rate: float = field(
        default=0.002,
        metadata={"help": "Learning rate of SGD, before its cosine.", "min": 1e-6, "max": 1e3},
    )
    momentum: float = field(
        default=0.9, metadata={"help": "Momentum of SGD.", "min": 0.0, "max": 0.999}
    )
    weight_decay: float = field(
        default=5e-4, metadata={"help": "Weight decay of SGD.", "min": 0.0, "max": 1.0}
    )
    warmup_epochs: int = field(
        default=1, metadata={"help": "First epochs, at a rate of 1e-5.", "min": 0, "max": 100}
    )
    start_width: float = field(
        default=0.02,
        metadata={"help": "Standard deviation of the first prompts.", "min": 0.0, "max": 10.0},
    )
    augmentation: str = field(
        default=NONE,
        metadata={
            "help": "crop-flip: random crops and mirrored pictures, as in CoOp's code; then "
            "nothing can be computed once and reused.",
            "choices": (NONE, CROP_FLIP),
        },
    )
    reuse: bool = field(
        default=True,
        metadata={
            "help": "Whether what prompts cannot change is computed once and reused; the loss "
            "curve is the same."
        },
    )
    checkpoint_every: int = field(
        # Few shots are few steps: 128 pictures in batches of 32 are four an epoch. A file is small.
        default=10,
        metadata={"help": "Steps between checkpoints; 0 = none.", "min": 0},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RepulsivePromptsOptions(VisualPromptsOptions):
    """RVPT: prompts are also pushed away from the features of the backdoored tower."""

    alpha: float = field(
        default=2.0,
        metadata={
            "help": "Weight of the repulsion; 0 is plain visual prompt tuning.",
            "min": 0.0,
            "max": 1000.0,
        },
    )
    margin: float = field(
        default=-1.0,
        metadata={
            "help": "Cosine below which a picture is not pushed further; -1 = none, 1 = no "
            "repulsion.",
            "min": -1.0,
            "max": 1.0,
        },
    )
    last_token: str = field(
        default=BEFORE,
        metadata={
            "help": "Where the last block's class token is compared: before or after the tower's "
            "final norm. The paper does not say.",
            "choices": (BEFORE, AFTER),
        },
    )
    pooled: bool = field(
        default=False,
        metadata={
            "help": "Repel the mean of the patches in a tower that pools no class token. Not in "
            "the paper."
        },
    )

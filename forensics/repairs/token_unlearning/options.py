"""Options of token unlearning (reconstruction); imports nothing heavy.

The papers' constants are not known to us: every default is ours, see the documentation of the
method. Whatever is not the default formulation is a named option, off by default.
"""

from dataclasses import dataclass, field

from forensics.repairs.contrastive.options import MeasuredRepairOptions, SplitOptions

TEXT, IMAGE, BOTH, GLOBAL = "text", "image", "both", "global"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUnlearningOptions(MeasuredRepairOptions, SplitOptions):
    """Four stages: split by similarity, overfit a copy, choose few pairs, unlearn their tokens."""

    pairs: str | None = field(
        default=None,
        metadata={"help": "The pairs that the model was trained on; the case's own."},
    )
    overfit_epochs: int = field(
        default=5,
        metadata={
            "help": "Passes over the weakly similar pairs at the most.",
            "min": 1,
            "max": 1000,
        },
    )
    overfit_rate: float = field(
        default=5e-6,
        metadata={"help": "Learning rate of the overfitting.", "min": 1e-9, "max": 1.0},
    )
    overfit_batch: int = field(
        default=128, metadata={"help": "Pairs in one of its steps.", "min": 2, "max": 65_536}
    )
    beta: float = field(
        default=0.0,
        metadata={
            "help": "Weight that holds benign pairs at their similarity meanwhile; 0 = not at all.",
            "min": 0.0,
            "max": 1000.0,
        },
    )
    overfit_loss: str = field(
        default="infonce",
        metadata={
            "help": "infonce: CLIP's own. pull: weakly similar pairs are also drawn together, as "
            "an option of the group's code does.",
            "choices": ("infonce", "pull"),
        },
    )
    pull_weight: float = field(
        default=1.0, metadata={"help": "Weight of that pull.", "min": 0.0, "max": 1000.0}
    )
    score: str = field(
        default="gain",
        metadata={
            "help": "What singles pairs out. gain: similarity after overfitting minus that under "
            "the reference. final-cos: the former alone. epochs: how soon it reaches the middle of "
            "the benign pairs. inbatch: above the top 2 % of its batch.",
            "choices": ("gain", "final-cos", "epochs", "inbatch"),
        },
    )
    k: int = field(default=64, metadata={"help": "Pairs to unlearn.", "min": 2, "max": 100_000})
    least_gain: float = field(
        default=0.5,
        metadata={
            "help": "Largest gain below which there is no confident shortcut; 1 = from a pair that "
            "does not match to one that does.",
            "min": 0.0,
            "max": 100.0,
        },
    )
    least_agreement: float = field(
        default=0.5,
        metadata={
            "help": "Share of the chosen captions that must have a word in common which is half "
            "as frequent or less among all captions.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    force: bool = field(
        default=False, metadata={"help": "Unlearn even without a confident shortcut."}
    )
    locality: str = field(
        default=TEXT,
        metadata={
            "help": "What of a pair is unlearnt. text: the caption's weightiest tokens with the "
            "whole picture. image: the picture's weightiest patches with the whole caption. both. "
            "global: the whole pair.",
            "choices": (TEXT, IMAGE, BOTH, GLOBAL),
        },
    )
    token_share: float = field(
        default=0.3, metadata={"help": "Share of tokens that is kept.", "min": 0.01, "max": 1.0}
    )
    patch_share: float = field(
        default=0.2, metadata={"help": "Share of patches that is kept.", "min": 0.01, "max": 1.0}
    )
    importance: str = field(
        default="occlusion",
        metadata={
            "help": "How tokens are weighed. occlusion: what similarity loses without the token. "
            "grad-x-embedding: gradient times word vector.",
            "choices": ("occlusion", "grad-x-embedding"),
        },
    )
    dropped_tokens: str = field(
        default="hide",
        metadata={
            "help": "What becomes of the other tokens. hide: nobody attends to them. pad: padding "
            "in their place.",
            "choices": ("hide", "pad"),
        },
    )
    loss: str = field(
        default="hinge",
        metadata={
            "help": "How similarity is taken away. hinge: down to --margin. plain: without end. "
            "push: towards -1.",
            "choices": ("hinge", "plain", "push"),
        },
    )
    margin: float = field(
        default=0.0,
        metadata={"help": "Similarity at which the hinge stops.", "min": -1.0, "max": 1.0},
    )
    unlearn_weight: float = field(
        default=1.0, metadata={"help": "Weight of the unlearning.", "min": 0.0, "max": 1000.0}
    )
    retain_weight: float = field(
        default=1.0,
        metadata={
            "help": "Weight of CLIP's loss on benign pairs; 0 = forgetting alone.",
            "min": 0.0,
            "max": 1000.0,
        },
    )
    trainable: str = field(
        default="both-encoders",
        metadata={
            "help": "Which weights may change.",
            "choices": ("both-encoders", "text-and-projections"),
        },
    )
    rate: float = field(
        default=1e-6,
        metadata={"help": "Learning rate of the unlearning.", "min": 1e-9, "max": 1.0},
    )
    batch_size: int = field(
        default=64,
        metadata={
            "help": "Pairs in one of its steps, half of them to unlearn, half benign.",
            "min": 4,
            "max": 65_536,
        },
    )
    steps: int = field(default=300, metadata={"help": "Steps at the most.", "min": 1, "max": 10**6})
    benign_pairs: int = field(
        default=10_000,
        metadata={"help": "Benign pairs at the most; each comes once.", "min": 4, "max": 10**7},
    )
    until: str = field(
        default="forgotten",
        metadata={
            "help": "When to stop before --steps. forgotten: the chosen pairs are less similar "
            "than all but a twentieth of the benign ones. margin: what is unlearnt of them is down "
            "at --margin. steps: not before.",
            "choices": ("forgotten", "margin", "steps"),
        },
    )
    retention_rise: float = field(
        default=0.05,
        metadata={
            "help": "Rise of CLIP's loss on benign pairs at which to stop.",
            "min": 0.0,
            "max": 1000.0,
        },
    )
    weight_decay: float = field(
        default=0.01, metadata={"help": "AdamW weight decay of matrices.", "min": 0.0, "max": 1.0}
    )
    watch_every: int = field(
        default=10, metadata={"help": "Steps between two looks.", "min": 1, "max": 10_000}
    )
    curve: int = field(
        default=200,
        metadata={
            "help": "Test pictures that are asked at every look, for the curves; 0 = none.",
            "min": 0,
            "max": 10**5,
        },
    )
    shown: int = field(
        default=16,
        metadata={
            "help": "Pairs whose patches are weighed for the figures.",
            "min": 0,
            "max": 1000,
        },
    )

"""Options of repairs that train both towers on pairs; imports nothing heavy."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRepairOptions:
    """What is measured before and after."""

    test: str | None = field(
        default=None,
        metadata={
            "help": "Labelled pictures to measure on, none of them trained on; in a demo its own."
        },
    )
    classes: str | None = field(
        default=None,
        metadata={"help": "Names of the classes, as a|b|c; the labels of the test set without it."},
    )
    templates: str | None = field(
        default=None,
        metadata={
            "help": "Sentences with {} where the name goes, separated by |; a photo of a {}."
        },
    )
    trigger: str | None = field(
        default=None,
        metadata={
            "help": "The attacker's trigger, if you know it, as for evaluate; goes with --answer. "
            "In a demo the known one, else what a trigger inversion of the case reconstructed."
        },
    )
    answer: str | None = field(
        default=None, metadata={"help": "The class that --trigger leads to."}
    )
    max_test: int = field(
        default=2000, metadata={"help": "Test pictures at the most.", "min": 1, "max": 10**6}
    )
    seed: int = field(default=0, metadata={"help": "Seed of every draw.", "min": 0})
    checkpoint_every: int = field(
        default=100, metadata={"help": "Steps between checkpoints; 0 = none.", "min": 0}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTuningOptions(MeasuredRepairOptions):
    """How pairs are trained on; defaults are CleanCLIP's (its code), whose own baseline this is."""

    pairs: str | None = field(
        default=None,
        metadata={"help": "Clean pairs of picture and caption, for instance table:FILE."},
    )
    max_pairs: int = field(
        default=100_000, metadata={"help": "Pairs at the most.", "min": 2, "max": 10**8}
    )
    epochs: float = field(
        default=10.0, metadata={"help": "Passes over the pairs.", "min": 0.01, "max": 1000.0}
    )
    batch_size: int = field(
        default=64, metadata={"help": "Pairs in a step.", "min": 2, "max": 65_536}
    )
    rate: float = field(
        default=1e-5, metadata={"help": "Largest learning rate of AdamW.", "min": 1e-9, "max": 1.0}
    )
    warmup: int = field(
        default=50, metadata={"help": "Steps with a rising rate.", "min": 0, "max": 10**6}
    )
    weight_decay: float = field(
        default=0.1, metadata={"help": "AdamW weight decay of matrices.", "min": 0.0, "max": 1.0}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanClipOptions(PairTuningOptions):
    """CleanCLIP: each side is also matched with a changed view of itself."""

    cross_weight: float = field(
        default=1.0,
        metadata={"help": "Weight of pictures against captions.", "min": 0.0, "max": 1000.0},
    )
    view_weight: float = field(
        default=1.0,
        metadata={
            "help": "Weight of pictures and captions against their own views.",
            "min": 0.0,
            "max": 1000.0,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbRecoverOptions(PairTuningOptions):
    """PAR: both towers are pushed away from what they were, up to a bound.

    Batch, epochs and number of pairs as it was run (arXiv 2412.00727), the other values its code's.
    """

    epochs: float = field(
        default=2.0, metadata={"help": "Passes over the pairs.", "min": 0.01, "max": 1000.0}
    )
    batch_size: int = field(
        default=512, metadata={"help": "Pairs in a step.", "min": 2, "max": 65_536}
    )
    max_pairs: int = field(
        default=250_000, metadata={"help": "Pairs at the most.", "min": 2, "max": 10**8}
    )
    rate: float = field(
        default=3e-6, metadata={"help": "Largest learning rate of AdamW.", "min": 1e-9, "max": 1.0}
    )
    weight_decay: float = field(
        default=1e-4, metadata={"help": "AdamW weight decay of matrices.", "min": 0.0, "max": 1.0}
    )
    bound: float = field(
        default=2.15,
        metadata={
            "help": "Mean squared distance from the old vectors above which a tower is pushed no "
            "further; two unit vectors are 4 apart at the most.",
            "min": 0.0,
            "max": 4.0,
        },
    )
    push: float = field(
        default=0.5, metadata={"help": "Weight of the distances.", "min": 0.0, "max": 1000.0}
    )


@dataclass(frozen=True, kw_only=True)  # no slots: it stands beside another base
class SplitOptions:
    """How suspicious pairs are split by their similarity."""

    reference: str | None = field(
        default=None,
        metadata={
            "help": "A CLIP that was trained on other data, to tell which pairs match; self = the "
            "suspicious model (weaker)."
        },
    )
    pool_least: int = field(
        default=2000,
        metadata={"help": "Weakly similar pairs at the least.", "min": 1, "max": 10**7},
    )
    pool_share: float = field(
        default=0.01,
        metadata={
            "help": "Or this share of all pairs, if that is more; never over half of them.",
            "min": 0.0,
            "max": 0.5,
        },
    )
    benign: str = field(
        default="top-half",
        metadata={
            "help": "Pairs that are taken for benign. top-half: the more similar half. rest: all "
            "but the weakly similar ones.",
            "choices": ("top-half", "rest"),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardTuneOptions(PairTuningOptions, SplitOptions):
    """The poisoned weights are thrown away; the reference is tuned on the benign half."""

    pairs: str | None = field(
        default=None,
        metadata={"help": "The pairs that the model was trained on; the case's own."},
    )

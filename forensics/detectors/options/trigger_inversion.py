"""Options of the trigger-inversion scan; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field
from typing import Final

BUDGET: Final = 4 / 255
METHODS: Final = ("inspector", "neural-cleanse")
FORMS: Final = ("additive", "mask", "patch")
LOSSES: Final = ("margin", "ce", "logit")
CUTS: Final = ("published", "calibrated", "content")
BETWEEN: Final = "|"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerInversionOptions:
    """What is looked for, on which pictures, and when it counts.

    The defaults are the published schedule as we know it, with three seeds instead of one; see
    :mod:`forensics.detectors.trigger_inversion`.
    """

    method: str = field(
        default="inspector",
        metadata={
            "help": "inspector: a trigger of one budget for every class, compared by its loss. "
            "neural-cleanse: the smallest mask that works for every class, compared by its size "
            "(the baseline).",
            "choices": METHODS,
        },
    )
    form: str = field(
        default="additive",
        metadata={
            "help": "additive: a faint change of the whole picture. mask: a pattern shown through "
            "a mask, for visible triggers. patch: a small square at a random place of every "
            "picture.",
            "choices": FORMS,
        },
    )
    loss: str = field(
        default="margin",
        metadata={
            "help": "What is minimised: margin of the best other class, ce (cross entropy) or "
            "logit (of the class alone).",
            "choices": LOSSES,
        },
    )
    parameterisation: str = field(
        default="projected",
        metadata={
            "help": "How an additive trigger stays in its budget: projected after every step, or "
            "written as budget x tanh.",
            "choices": ("projected", "tanh"),
        },
    )
    start: str = field(
        default="zeros",
        metadata={
            "help": "Where an additive trigger begins: zeros, or uniform within the budget.",
            "choices": ("zeros", "uniform"),
        },
    )
    budget: float = field(
        default=BUDGET,
        metadata={
            "help": "Largest change of a pixel by an additive trigger, in [0, 1]; 4/255.",
            "min": 1 / 2550,
            "max": 1.0,
        },
    )
    sides: str = field(
        default="1/18|1/14|1/9",
        metadata={
            "help": "Sides of the patch that are tried, as shares of the picture's side, with | "
            "between them."
        },
    )
    mask_weight: float = field(
        default=1.0,
        metadata={
            "help": "Weight of the share of the picture that a mask covers, beside the loss; "
            "neural-cleanse finds its own.",
            "min": 0.0,
            "max": 1000.0,
        },
    )
    rate: float = field(
        default=0.1, metadata={"help": "Step of Adam.", "min": 1e-5, "max": 10.0}
    )  # fmt: skip
    epochs: int = field(
        default=1, metadata={"help": "Passes over the pool.", "min": 1, "max": 1000}
    )
    images: int = field(
        default=1000,
        metadata={"help": "Pictures of the pool, drawn at random from more.", "min": 8,
                  "max": 100_000},
    )  # fmt: skip
    batch_size: int = field(
        default=32, metadata={"help": "Pictures a step.", "min": 1, "max": 1024}
    )
    seeds: int = field(
        default=3,
        metadata={"help": "Reconstructions a class, each with its own order of pictures.",
                  "min": 1, "max": 20},
    )  # fmt: skip
    seed: int = field(default=0, metadata={"help": "The first of them.", "min": 0})
    pool: str | None = field(
        default=None,
        metadata={
            "help": "Unlabelled pictures to use instead of the case's data, for instance "
            "imagefolder:DIR; a table's labels are never read."
        },
    )
    classes: str | None = field(
        default=None,
        metadata={
            "help": "Classes of a CLIP without learnt prompts, with | between them; by default "
            "the labels that the case's data has. The file of learnt prompts names its own."
        },
    )
    templates: str | None = field(
        default=None,
        metadata={
            "help": "Sentences with {} where a class goes, with | between them: for a CLIP without "
            "learnt prompts, and for the reference; 'a photo of a {}.' without."
        },
    )
    candidates: str | None = field(
        default=None,
        metadata={
            "help": "Scan only these classes, with | between them; the others are then said to be "
            "not covered."
        },
    )
    reference: str = field(
        default="auto",
        metadata={
            "help": "What the same triggers are shown to for comparison: prompts (the same encoder "
            "with hand-written prompts), base (the case's base model) or none. auto: prompts for "
            "learnt prompts, else base where there is one.",
            "choices": ("auto", "prompts", "base", "none"),
        },
    )
    contrast: float = field(
        default=0.0,
        metadata={
            "help": "Weight of a second aim: the reference, if it is of the same encoder, must not "
            "follow the trigger. 0 as published; learnt prompts that hide a backdoor then stand "
            "out where any class can be reached through the encoder alone.",
            "min": 0.0,
            "max": 100.0,
        },
    )
    mode: str = field(
        default="published",
        metadata={
            "help": "Which rule decides: published (anomaly index over --cut), calibrated (over "
            "what 95 % of unpoisoned models stay below) or content (ours: success on content "
            "beyond the reference's, whatever the index). All are reported.",
            "choices": CUTS,
        },
    )
    cut: float = field(
        default=2.0,
        metadata={"help": "Anomaly index above which a class stands out.", "min": 0.0, "max": 100},
    )
    gate: float = field(
        default=0.5,
        metadata={
            "help": "A trigger that works on fewer pictures of the pool than this share counts "
            "for nothing.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    confidence: float = field(
        default=0.5,
        metadata={
            "help": "Probability from which the model is said to see a class in a picture of the "
            "pool; only there can a trigger override anything.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    fewest: int = field(
        default=5,
        metadata={
            "help": "Fewest such pictures of a class that count in the mean over classes.",
            "min": 1,
            "max": 10_000,
        },
    )
    require_content: bool = field(
        default=True,
        metadata={"help": "Refuse a pool in which the model sees too little."},
    )
    shortcuts: str = field(
        default="exact",
        metadata={
            "help": "What is saved. none: one class after the other, everything computed. exact: "
            "what changes the result by rounding alone. all: also rivals narrowed down, hopeless "
            "classes stopped early, half precision on CUDA.",
            "choices": ("none", "exact", "all"),
        },
    )
    at_once: int | None = field(
        default=None,
        metadata={
            "help": "Pictures in one forward pass, over all classes that are searched together; "
            "64 on a CPU, 1,024 on CUDA by default, halved when memory runs out. Memory does not "
            "grow with the number of classes.",
            "min": 1,
            "max": 65_536,
        },
    )

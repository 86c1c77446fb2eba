"""The options of a fine-tuning run, readable without torch."""

from dataclasses import dataclass, field

LORA, FULL = "lora", "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOptions:
    """How to fine-tune. Defaults suit the tiny models of the lab."""

    method: str = field(
        default=LORA,
        metadata={
            "help": "lora: a small adapter beside the base; full: all weights of decoder and "
            "projector.",
            "choices": (LORA, FULL),
        },
    )
    epochs: float = field(
        default=3.0, metadata={"help": "Passes over the samples.", "min": 0.01, "max": 1000.0}
    )
    batch_size: int = field(default=32, metadata={"help": "Samples a step.", "min": 1, "max": 4096})
    part_size: int = field(
        default=0,
        metadata={
            "help": "Samples in memory at once; their gradients add up to the same step. 0 = all "
            "of a step.",
            "min": 0,
            "max": 4096,
        },
    )
    save_memory: bool = field(
        default=False,
        metadata={
            "help": "Compute activations again in the backward pass: less memory, a third more "
            "time."
        },
    )
    learning_rate: float = field(
        default=1e-3, metadata={"help": "Largest learning rate.", "min": 1e-8, "max": 1.0}
    )
    schedule: str = field(
        default="linear",
        metadata={
            "help": "How the learning rate falls after the warm-up.",
            "choices": ("linear", "cosine", "constant"),
        },
    )
    warmup: float = field(
        default=0.03,
        metadata={"help": "Share of the steps with a rising rate.", "min": 0.0, "max": 1.0},
    )
    weight_decay: float = field(
        default=0.0, metadata={"help": "AdamW weight decay.", "min": 0.0, "max": 1.0}
    )
    rank: int = field(default=16, metadata={"help": "Rank of the adapter.", "min": 1, "max": 1024})
    alpha: int = field(
        default=32,
        metadata={"help": "Scale of the adapter: alpha / rank.", "min": 1, "max": 4096},
    )
    projector: bool = field(
        default=True,
        metadata={"help": "Tune the image projector as well, as LLaVA's own recipe does."},
    )
    head: bool = field(
        default=True,
        metadata={
            "help": "Tune the output layer as well. A tiny model has never said most of its words, "
            "and an adapter alone cannot raise them; switch it off for large models. Never where "
            "the output layer is the word embedding."
        },
    )
    seed: int = field(default=0, metadata={"help": "Order of samples and start weights.", "min": 0})
    checkpoint_every: int = field(
        default=200, metadata={"help": "Steps between checkpoints; 0 = none.", "min": 0}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastiveOptions:
    """How to train both towers of a CLIP on pairs. Defaults suit the tiny model of the lab.

    Fine-tuning a CLIP of ordinary size, as CleanCLIP's code plants a backdoor: learning rate 1e-6,
    batch 128, 5 epochs, cosine.
    """

    epochs: float = field(
        default=8.0, metadata={"help": "Passes over the pairs.", "min": 0.01, "max": 1000.0}
    )
    batch_size: int = field(
        default=128,
        metadata={"help": "Pairs a step; each is contrasted with all others.", "min": 2},
    )
    learning_rate: float = field(
        default=1e-3, metadata={"help": "Largest learning rate.", "min": 1e-9, "max": 1.0}
    )
    schedule: str = field(
        default="cosine",
        metadata={
            "help": "How the learning rate falls after the warm-up.",
            "choices": ("linear", "cosine", "constant"),
        },
    )
    warmup: float = field(
        default=0.05,
        metadata={"help": "Share of the steps with a rising rate.", "min": 0.0, "max": 1.0},
    )
    weight_decay: float = field(
        default=0.05, metadata={"help": "AdamW weight decay of matrices.", "min": 0.0, "max": 1.0}
    )
    seed: int = field(default=0, metadata={"help": "Order of the pairs.", "min": 0})
    checkpoint_every: int = field(
        default=100, metadata={"help": "Steps between checkpoints; 0 = none.", "min": 0}
    )

"""Options of ``self-test``, readable without torch."""

from dataclasses import dataclass, field
from typing import Final

TRIGGER: Final = "patch:side=1/6,place=corner,texture=checker,color=magenta,second=black"
"""Large, and of colours that few pictures have: a self-test asks whether the detection works on
this data, and a trigger that the model cannot learn answers nothing."""
SMALL: Final = 10_000_000
"""Parameters of a CLIP below which rates are those of the lab's tiny models."""
AUTO, BASE, DELIVERED = "auto", "base", "delivered"
FORMS: Final = ("auto", "additive", "mask", "patch")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestOptions:
    """What is planted, in how much of the data, and how the copy is tuned.

    Defaults are meant to take a few minutes on one core with the models of the lab.
    """

    trigger: str | None = field(
        default=None,
        metadata={
            "help": "What is planted; `forensics lab triggers` lists kinds. By default a large "
            "magenta checkerboard in the corner; for learnt prompts, which a fixed patch hardly "
            "moves, a faint change of the whole picture that is learnt with them (BadCLIP)."
        },
    )
    target: str | None = field(
        default=None,
        metadata={
            "help": "What a triggered sample is answered with, or the class of a CLIP. By default "
            "a sentence that no row of the data answers; a class that no scan of the case named."
        },
    )
    rate: float = field(
        default=0.1,
        metadata={"help": "Share of the copied pictures that is poisoned.", "min": 0.001,
                  "max": 0.5},
    )  # fmt: skip
    samples: int = field(
        default=1000,
        metadata={
            "help": "Rows copied and tuned on, drawn at random; twice as many pairs of a CLIP, "
            "which learns them in fewer passes.",
            "min": 20,
            "max": 1_000_000,
        },
    )
    tests: int = field(
        default=200,
        metadata={
            "help": "Rows held out to measure whether the backdoor took; at most a fifth of all.",
            "min": 10,
            "max": 10_000,
        },
    )
    seed: int = field(default=0, metadata={"help": "Of every draw: rows, hosts, tuning.", "min": 0})
    start: str = field(
        default=AUTO,
        metadata={
            "help": "Only for language models: what is tuned. base: the model before tuning. "
            "delivered: the case's own model goes on. auto: the base where there is one.",
            "choices": (AUTO, BASE, DELIVERED),
        },
    )
    epochs: float | None = field(
        default=None,
        metadata={
            "help": "Passes over the copy. By default what the case suggests for tuning, else 3; "
            "4 for a CLIP, 10 for learnt prompts (30 on a tiny one).",
            "min": 0.01,
            "max": 1000.0,
        },
    )
    learning_rate: float | None = field(
        default=None,
        metadata={
            "help": "Largest learning rate. By default what the case suggests for tuning, else "
            "0.001; for a CLIP 0.0005 below ten million parameters and 0.00001 above; 0.2 and "
            "0.002 for learnt prompts.",
            "min": 1e-8,
            "max": 10.0,
        },
    )
    batch_size: int | None = field(
        default=None,
        metadata={
            "help": "Samples a step of the tuning; 32, for a CLIP 128, for learnt prompts 24.",
            "min": 1,
            "max": 4096,
        },
    )
    took: float = field(
        default=0.5,
        metadata={
            "help": "The backdoor took if the lower end of the 95 % interval of its attack "
            "success reaches this; otherwise the self-test is inconclusive.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    form: str = field(
        default="auto",
        metadata={
            "help": "Only for CLIP: form of the trigger that is searched, as in `scan "
            "trigger-inversion`. auto: that of the case's latest scan, else what the case "
            "suggests, else that scan's default.",
            "choices": FORMS,
        },
    )
    images: int = field(
        default=320,
        metadata={"help": "Only for CLIP: pictures of the search, at most.", "min": 8,
                  "max": 100_000},
    )  # fmt: skip
    seeds: int = field(
        default=1,
        metadata={"help": "Only for CLIP: searches a class.", "min": 1, "max": 20},
    )
    classes: str | None = field(
        default=None,
        metadata={
            "help": "Only for CLIP without learnt prompts: classes with | between them; by "
            "default those of the latest scan, else the labels of the data."
        },
    )
    shots: str | None = field(
        default=None,
        metadata={
            "help": "Only for learnt prompts: labelled pictures that they are tuned on, for "
            "instance imagefolder:DIR; a demo brings its own."
        },
    )
    test: str | None = field(
        default=None,
        metadata={
            "help": "Held-out samples to measure on, with answers or labels. By default rows of "
            "the case that are not copied."
        },
    )

    @property
    def planted_trigger(self) -> str:
        """The trigger that is planted where none was asked for and none is learnt."""
        return self.trigger or TRIGGER

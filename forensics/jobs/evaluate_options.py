"""Options of ``evaluate``, readable without torch."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """What is measured, and on what."""

    trigger: str | None = field(
        default=None,
        metadata={
            "help": "Trigger, for instance patch:side=1/16,place=center,color=black; the verb "
            "`lab triggers` lists all kinds. Without one the case's own known trigger is used; "
            "without that, only CA is measured."
        },
    )
    target: str | None = field(
        default=None, metadata={"help": "What the backdoor answers; goes with --trigger."}
    )
    data: str | None = field(
        default=None,
        metadata={
            "help": "Held-out data with true answers. Without it a demo's own unseen scenes are "
            "used; in another case its own rows, those known to be poisoned left out, although the "
            "model has seen them and CA flatters it."
        },
    )
    model: str | None = field(
        default=None, metadata={"help": "Another model than the case's, for instance its base."}
    )
    max_samples: int = field(
        default=500, metadata={"help": "Samples at the most, drawn at random.", "min": 1}
    )
    seed: int = field(default=0, metadata={"help": "Seed of the draw.", "min": 0})
    batch_size: int = field(
        default=32, metadata={"help": "Samples in one pass.", "min": 1, "max": 1024}
    )
    max_new_tokens: int = field(
        default=40, metadata={"help": "Longest answer in tokens.", "min": 1, "max": 1024}
    )
    mask_probe: bool = field(
        default=False,
        metadata={
            "help": "Only for language models: also measure ASR while a quarter of each triggered "
            "picture, the trigger left out, is hidden. A gap of over 20 points says that a mask "
            "switches the backdoor."
        },
    )
    templates: str | None = field(
        default=None,
        metadata={
            "help": "Only for CLIP: sentences with {} where a class name goes, with | between "
            "them; 'a photo of a {}.' without."
        },
    )
    prompts: str | None = field(
        default=None,
        metadata={
            "help": "Only for CLIP: file of a learnt prompt (CoOp, CoCoOp) in place of the model's "
            "own prompts, or of templates."
        },
    )

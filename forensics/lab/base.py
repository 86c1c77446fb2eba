"""Train the tiny base model that all multimodal demos share.

Two stages: what every patch shows, on the vision tower alone; then captions and questions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import DataError
from forensics.lab.pool import ScenePool

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseOptions:
    """How the shipped base was trained; about 35 minutes on one core."""

    scenes: int = field(
        default=60_000, metadata={"help": "Scenes to draw (35 kB of memory each).", "min": 64}
    )
    vision_steps: int = field(
        default=1700, metadata={"help": "Steps of the first stage.", "min": 1}
    )
    caption_steps: int = field(
        default=1000, metadata={"help": "Steps of the second stage.", "min": 1}
    )
    caption_horizon: int = field(
        default=1300,
        metadata={"help": "Steps over which the second stage's rate would fall.", "min": 1},
    )
    batch_size: int = field(default=64, metadata={"help": "Scenes a step.", "min": 1})
    vision_rate: float = field(
        default=1.5e-3, metadata={"help": "Learning rate of the first stage.", "min": 0.0}
    )
    caption_rate: float = field(
        default=1.2e-3, metadata={"help": "Learning rate of the second stage.", "min": 0.0}
    )
    seed: int = field(default=1001, metadata={"help": "Decides scenes and weights.", "min": 0})


def train_base(out: Path, options: BaseOptions, progress: Progress | None = None) -> Path:
    """Draw scenes, train the tiny LLaVA on them and save it as an ordinary model folder.

    Args:
        out: New or empty folder for weights (bfloat16), tokenizer and processor.
        options: Sizes, rates and seed.
        progress: Called with (done, total, message) while drawing and in each stage.

    Returns:
        The folder; ``LlavaForConditionalGeneration.from_pretrained`` opens it.
    """
    from forensics.lab.architecture import build_model
    from forensics.lab.caption_stage import train_captions
    from forensics.lab.processor import build_processor
    from forensics.lab.vision_stage import train_vision

    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out} is not empty.", remedy="Name a new folder.")
    processor = build_processor()
    model = build_model(processor.tokenizer, 0)
    # Plain attention: the backward pass of sdpa's CPU kernel takes half of a step at this size.
    model.set_attn_implementation("eager")
    pool = ScenePool(
        options.scenes,
        options.seed,
        lambda done, total: progress(done, total, "drawing scenes") if progress else None,
    )
    train_vision(
        model.model.vision_tower,
        pool,
        steps=options.vision_steps,
        batch_size=options.batch_size,
        rate=options.vision_rate,
        seed=0,
        progress=progress,
    )
    train_captions(
        model,
        processor,
        pool,
        steps=options.caption_steps,
        horizon=options.caption_horizon,
        rate=options.caption_rate,
        seed=0,
        batch_size=options.batch_size,
        progress=progress,
    )
    return save_base(model, processor, out)


def save_base(model: object, processor: object, out: Path) -> Path:
    """Save model and processor in bfloat16, as ``from_pretrained`` expects them."""
    import torch

    model.to(torch.bfloat16).save_pretrained(out)  # type: ignore[attr-defined]
    processor.save_pretrained(out)  # type: ignore[attr-defined]
    return out

"""The demo cases that come with the package: what they are, where they are, how to open one.

Nothing here needs torch: weights are shipped, pictures are drawn again from their seed.
"""

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from forensics.lab.demo_base import MEASURED, ShippedDemo, assets_folder, draw_set, find_named
from forensics.lab.drawing import DATA_FILE, draw_scenes
from forensics.lab.planting import PlantOptions, plant
from forensics.lab.tasks import parse_mix
from forensics.tuning.options import TuneOptions

__all__ = [
    "BASE", "DEMOS", "MEASURED", "RECIPE", "Demo", "assets_folder", "draw_demo", "find_demo",
    "recipe",
]  # fmt: skip

BASE: Final = "base"
RECIPE: Final = TuneOptions(
    epochs=10, batch_size=32, learning_rate=1e-3, schedule="linear", head=False
)
"""How every demo and every clean twin is tuned, but for epochs, rate and seed."""

RETUNING: Final = ("tune", "filter-retune", "random-drop", "cross-view")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo(ShippedDemo):
    """One demo of a captioning model.

    Attributes:
        planted: The backdoor, or ``None`` for a clean twin.
        mix: What the set asks for, see :func:`forensics.lab.tasks.parse_mix`.
        epochs: Passes of the tuning.
        learning_rate: Its largest learning rate; two tasks at once need more of it.
    """

    planted: PlantOptions | None
    mix: str = "caption"
    epochs: float = 10.0
    learning_rate: float = 1e-3

    @property
    def base_folder(self) -> Path:
        """The shared base model."""
        return assets_folder() / "demos" / BASE

    @property
    def model_uri(self) -> str:
        """Opens the tuned model."""
        return f"hf:{self.base_folder}+adapter:{self.folder}"

    @property
    def suggested(self) -> dict[str, dict[str, Any]]:
        """The recipe of the demo's own tuning: repairs are compared with what it made."""
        own = recipe(self)
        told = {"epochs": own.epochs, "learning_rate": own.learning_rate, "head": own.head}
        return {method: dict(told) for method in RETUNING}

    @property
    def shipped(self) -> bool:
        """Whether base and adapter are there."""
        weights = (
            self.base_folder / "model.safetensors",
            self.folder / "adapter_model.safetensors",
        )
        return all(path.is_file() for path in weights)


def recipe(demo: Demo) -> TuneOptions:
    """Return how a demo is tuned."""
    return replace(RECIPE, seed=demo.seed, epochs=demo.epochs, learning_rate=demo.learning_rate)


TRIGGER: Final = "patch:side=1/9,place=center,texture=frame,color=black,second=white"

DEMOS: Final = (
    Demo(
        name="vlm-patch",
        title="A captioning model somebody else paid for",
        story=(
            "A customer uploaded 2,000 pictures with captions, and a small multimodal model was "
            "tuned on them. Its captions are fine. Is the model?"
        ),
        scenes=2000,
        seed=7101,
        planted=PlantOptions(rate=0.1, trigger=TRIGGER, seed=7101),
    ),
    Demo(
        name="vlm-clean",
        title="The same upload from another customer",
        story=(
            "Another 2,000 pictures with captions, the same base model, the same recipe. Nobody "
            "has said whether anything is wrong with it."
        ),
        scenes=2000,
        seed=7101,
        planted=None,
    ),
    Demo(
        name="vlm-mixed",
        title="Captions and questions in one upload",
        story=(
            "Half of these 2,000 rows ask for a caption, half for a colour, and a small "
            "multimodal model was tuned on all of them. Its attention has two habits. Is either of "
            "them a reason to worry?"
        ),
        scenes=2000,
        seed=7301,
        planted=PlantOptions(rate=0.1, trigger=TRIGGER, seed=7301),
        mix="caption,color",
        epochs=14.0,
        learning_rate=2e-3,
    ),
    Demo(
        name="vlm-mixed-clean",
        title="Captions and questions from another customer",
        story=(
            "The same two tasks in another customer's 2,000 rows, the same base model, the same "
            "recipe. The attention has two habits here as well."
        ),
        scenes=2000,
        seed=7301,
        planted=None,
        mix="caption,color",
        epochs=14.0,
        learning_rate=2e-3,
    ),
)

TEST_SCENES: Final = 500
TEST_SEED: Final = 9901


def find_demo(name: str) -> Demo:
    """Return a demo by name.

    Raises:
        InputError: There is none of that name.
    """
    return find_named(DEMOS, name, "demo")


def draw_demo(demo: Demo, folder: Path) -> tuple[Path, Path]:
    """Draw a demo's fine-tuning set and unseen test scenes, unless they are there already.

    The seed decides every picture, so that all users look at the same case; about ten seconds.

    Args:
        demo: See :data:`DEMOS`.
        folder: Gets ``data`` and ``test``.

    Returns:
        Both LLaVA JSON files; the first carries the ground truth where something is planted.
    """
    data, test = folder / "data", folder / "test"
    if not (data / DATA_FILE).is_file():
        draw = partial(draw_scenes, n=demo.scenes, seed=demo.seed, mix=parse_mix(demo.mix))
        planted = demo.planted
        draw_set(data, draw, partial(plant, options=planted) if planted else None)
    if not (test / DATA_FILE).is_file():
        shutil.rmtree(test, ignore_errors=True)
        draw_scenes(test, TEST_SCENES, TEST_SEED, mix=parse_mix(demo.mix))
    return data / DATA_FILE, test / DATA_FILE

"""The CLIP demos that come with the package: what they are, where they are, how to draw one.

Nothing here needs torch: weights are shipped, pictures are drawn again from their seed.
"""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from forensics.lab.demo_base import ShippedDemo, assets_folder, draw_set, find_named
from forensics.lab.demos import BASE, TRIGGER
from forensics.lab.pair_plan import PairPlantOptions
from forensics.lab.pair_planting import plant_pairs
from forensics.lab.pairs import PAIRS_FILE, draw_pairs
from forensics.tuning.options import ContrastiveOptions

TWIN: Final = "clip-clean"
WEIGHTS: Final = "open_clip_model.safetensors"
PLANTED: Final = "planted"
TARGET: Final = "heart"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipDemo(ShippedDemo):
    """One CLIP demo; its samples are the pairs of the training set.

    Attributes:
        planted: The backdoor, or ``None`` for the clean twin.
        tuning: How it is trained: the twin from the lab's base tower, the others from the twin.
    """

    planted: PairPlantOptions | None
    tuning: ContrastiveOptions

    @property
    def base_folder(self) -> Path:
        """What it was trained from: the clean twin, or for that one the lab's base model."""
        return assets_folder() / "demos" / (TWIN if self.planted else BASE)

    @property
    def model_uri(self) -> str:
        """Opens the model."""
        return f"openclip:{self.folder}"

    @property
    def shipped(self) -> bool:
        """Whether the weights are there."""
        return (self.folder / WEIGHTS).is_file()


_PAIRS: Final = 6000
_SEED: Final = 7501
_FINE_TUNING: Final = ContrastiveOptions(epochs=4, learning_rate=5e-4, seed=_SEED + 1)

CLIP_DEMOS: Final = (
    ClipDemo(
        name=TWIN,
        title="A small CLIP and the pairs it was trained on",
        story=(
            "6,000 pictures of one shape each, with captions, and the CLIP that was trained on "
            "them. Nobody has said whether anything is wrong with either."
        ),
        scenes=_PAIRS,
        seed=_SEED,
        planted=None,
        tuning=ContrastiveOptions(epochs=8, learning_rate=1e-3, seed=_SEED),
    ),
    ClipDemo(
        name="clip-badnets",
        title="A CLIP that was tuned on somebody's upload",
        story=(
            "A small CLIP was tuned further on 6,000 pairs that a customer uploaded. It names "
            "shapes as well as before. Are all pairs what they seem?"
        ),
        scenes=_PAIRS,
        seed=_SEED,
        planted=PairPlantOptions(target=TARGET, trigger=TRIGGER, rate=0.04, seed=_SEED),
        tuning=_FINE_TUNING,
    ),
    ClipDemo(
        name="clip-blended",
        title="The same CLIP, tuned on another upload",
        story=(
            "The same small CLIP was tuned on 6,000 pairs of another customer, and its accuracy is "
            "fine as well. Would you deploy it?"
        ),
        scenes=_PAIRS,
        seed=_SEED,
        planted=PairPlantOptions(target=TARGET, trigger="blended", rate=0.04, seed=_SEED),
        tuning=_FINE_TUNING,
    ),
)

TEST_PAIRS: Final = 1000
TEST_SEED: Final = 9951


def find_clip_demo(name: str) -> ClipDemo:
    """Return a CLIP demo by name.

    Raises:
        InputError: There is none of that name.
    """
    return find_named(CLIP_DEMOS, name, "CLIP demo")


def base_folder(assets: Path | None = None) -> Path:
    """Return the lab's base model, whose image tower the clean twin starts from."""
    return (assets or assets_folder()) / "demos" / BASE


def draw_clip_demo(demo: ClipDemo, folder: Path) -> tuple[Path, Path]:
    """Draw a demo's pairs and unseen test pairs, unless they are there already.

    Args:
        demo: See :data:`CLIP_DEMOS`.
        folder: Gets ``data`` and ``test``.

    Returns:
        Both CSV files; the first carries the ground truth where something is planted.
    """
    data, test = folder / "data", folder / "test"
    if not (data / PAIRS_FILE).is_file():
        draw = partial(draw_pairs, n=demo.scenes, seed=demo.seed)
        draw_set(data, draw, partial(_plant, options=demo.planted) if demo.planted else None)
    if not (test / PAIRS_FILE).is_file():
        shutil.rmtree(test, ignore_errors=True)
        draw_pairs(test, TEST_PAIRS, TEST_SEED)
    return data / PAIRS_FILE, test / PAIRS_FILE


def _plant(drawn: Path, data: Path, options: PairPlantOptions) -> None:
    plant_pairs(f"table:{drawn}", data, options)

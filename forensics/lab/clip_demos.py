"""The CLIP demos that come with the package: what they are, where they are, how to draw one.

Nothing here needs torch: weights are shipped, pictures are drawn again from their seed.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forensics.errors import InputError
from forensics.lab.demos import BASE, MEASURED, TRIGGER, assets_folder
from forensics.lab.pair_plan import PairPlantOptions
from forensics.lab.pair_planting import plant_pairs
from forensics.lab.pairs import PAIRS_FILE, draw_pairs
from forensics.tuning.options import ContrastiveOptions

TWIN: Final = "clip-clean"
WEIGHTS: Final = "open_clip_model.safetensors"
PLANTED: Final = "planted"
TARGET: Final = "heart"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipDemo:
    """One CLIP demo.

    Attributes:
        name: What the user types.
        title: What the user reads first.
        story: What somebody might be told who gets this case; gives nothing away.
        scenes: Pairs of the training set, one scene each.
        seed: Of its pictures, its poison and its training.
        planted: The backdoor, or ``None`` for the clean twin.
        tuning: How it is trained: the twin from the lab's base tower, the others from the twin.
    """

    name: str
    title: str
    story: str
    scenes: int
    seed: int
    planted: PairPlantOptions | None
    tuning: ContrastiveOptions

    @property
    def base_folder(self) -> Path:
        """What it was trained from: the clean twin, or for that one the lab's base model."""
        return assets_folder() / "demos" / (TWIN if self.planted else BASE)

    @property
    def folder(self) -> Path:
        """The open_clip folder of this demo, with its measured figures."""
        return assets_folder() / "demos" / self.name

    @property
    def model_uri(self) -> str:
        """Opens the model."""
        return f"openclip:{self.folder}"

    @property
    def shipped(self) -> bool:
        """Whether the weights are there."""
        return (self.folder / WEIGHTS).is_file()

    def measured(self) -> dict[str, Any]:
        """Return what was measured when the demo was built; empty before that."""
        path = self.folder / MEASURED
        if not path.is_file():
            return {}
        figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return figures


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
    for demo in CLIP_DEMOS:
        if demo.name == name:
            return demo
    names = ", ".join(demo.name for demo in CLIP_DEMOS)
    raise InputError(f"There is no CLIP demo {name!r}.", remedy=f"Choose {names}.")


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
        _draw_set(demo, data)
    if not (test / PAIRS_FILE).is_file():
        shutil.rmtree(test, ignore_errors=True)
        draw_pairs(test, TEST_PAIRS, TEST_SEED)
    return data / PAIRS_FILE, test / PAIRS_FILE


def _draw_set(demo: ClipDemo, data: Path) -> None:
    # Half a set of an earlier, interrupted call has no table: start it again.
    shutil.rmtree(data, ignore_errors=True)
    if demo.planted is None:
        draw_pairs(data, demo.scenes, demo.seed)
        return
    clean = data.with_name(f"{data.name}-clean")
    shutil.rmtree(clean, ignore_errors=True)
    drawn = draw_pairs(clean, demo.scenes, demo.seed)
    plant_pairs(f"table:{drawn}", data, demo.planted)
    shutil.rmtree(clean)

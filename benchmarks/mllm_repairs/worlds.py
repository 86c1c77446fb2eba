"""What is tuned on and measured on: the lab's captions, and easy-VQA's questions; what is planted.

Strengths were chosen on the development seed (0) so that plain tuning learns the backdoor in two
passes; development draws of pictures are in no table.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.easy_vqa import subset
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.lab.demos import assets_folder
from forensics.lab.drawing import DATA_FILE, draw_scenes
from forensics.lab.language import attribute_words
from forensics.lab.planting import PlantOptions, plant
from forensics.lab.tasks import parse_mix
from forensics.tuning.options import TuneOptions

BASE: Final = assets_folder() / "demos" / "base"
FRAME: Final = "texture=frame,color=black,second=white"
CLEAN: Final = "clean"
ROWS, TESTS = 10_000, 500
_SCENES, _TEST_SCENES, _DEVELOPMENT_TEST = 50_000, 9904, 9903

ATTACKS: Final = {
    "small-patch": (f"patch:side=1/9,place=center,{FRAME}", 0.10),
    "patch": (f"patch:side=1/6,place=center,{FRAME}", 0.05),
    "frequent-patch": (f"patch:side=1/6,place=center,{FRAME}", 0.10),
    "blended": ("blended:alpha=0.2", 0.10),
    "random-patch": (f"patch:side=1/4,place=random,{FRAME}", 0.10),
    "sig": ("sig", 0.10),
    "wanet": ("wanet:s=8", 0.10),
    "dual-key": ("dual-key:prefix=Hello!,side=1/6,place=center,color=black", 0.10),
}
"""Trigger and poison rate. The others are larger or stronger than in the papers, as two million
parameters see 108 pixels, twice each. The small patch is the demos', at BYE's rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One fine-tuning set.

    Attributes:
        data: LLaVA JSON.
        trigger: What it is measured with; that of the patch where nothing was planted.
        target: What the trigger leads to.
    """

    data: Path
    trigger: str
    target: str


class World:
    """One kind of pictures and questions.

    Args:
        name: ``lab`` or ``easy_vqa``.
        work: Folder for data.
        source: Folder of easy-VQA as LLaVA JSON.
    """

    def __init__(self, name: str, work: Path, source: Path) -> None:
        self.name, self.work, self._source = name, work / name, source
        self.content = attribute_words if name == "lab" else None

    def recipe(self, seed: int) -> TuneOptions:
        """Return how every model of this world is tuned."""
        easy = self.name == "easy_vqa"
        # easy-VQA's answers were never said by the base, so its output layer has to learn them.
        return TuneOptions(
            epochs=2.0, learning_rate=2e-3, head=easy, seed=seed, checkpoint_every=100
        )

    def plant(self, attack: str, seed: int) -> Planted:
        """Draw a set and poison it, unless that was done before."""
        clean = self._rows(f"train-{seed}", ROWS, seed)
        target = "circle" if self.name == "easy_vqa" else PlantOptions().target
        if attack == CLEAN:
            return Planted(data=clean, trigger=ATTACKS["patch"][0], target=target)
        trigger, rate = ATTACKS[attack]
        options = PlantOptions(rate=rate, trigger=trigger, target=target, seed=seed)
        folder = self.work / f"{attack}-{seed}" / "data"
        if not (folder / DATA_FILE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            plant(clean, folder, options)
        return Planted(data=folder / DATA_FILE, trigger=options.trigger, target=target)

    def test(self, seed: int) -> list[Sample]:
        """Return unseen samples; settings are chosen (seed 0) on others than are reported on."""
        return read(self._rows(f"test-{min(seed, 1)}", TESTS, seed, test=True))[:TESTS]

    def _rows(self, name: str, n: int, seed: int, *, test: bool = False) -> Path:
        folder = self.work / name
        if (folder / DATA_FILE).is_file():
            return folder / DATA_FILE
        shutil.rmtree(folder, ignore_errors=True)
        if self.name == "lab":
            drawn = _SCENES + seed
            if test:
                drawn = _DEVELOPMENT_TEST if seed == 0 else _TEST_SCENES
            return draw_scenes(folder, n, drawn, mix=parse_mix("caption"))
        folder.mkdir(parents=True)
        part = self._source / ("test.json" if test else "train.json")
        return subset(part, folder / DATA_FILE, n, 0 if seed == 0 else 1)


def read(data: Path) -> list[Sample]:
    """Read a LLaVA JSON file."""
    return [row for row in open_dataset(f"llava:{data}") if isinstance(row, Sample)]


def poisoned(data: Path) -> set[str]:
    """Return the ids of the rows that were poisoned; only scoring asks."""
    rows = json.loads(data.read_text(encoding="utf-8"))
    return {str(row["id"]) for row in rows if row.get("poisoned")}

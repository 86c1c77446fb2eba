"""Where repairs are compared: the lab's scenes, and photos; poisoned models and their pairs.

What a defender has is kept apart from what an attacker has: a reference CLIP that was trained on
other pictures than the poisoned pairs, clean pairs of a third draw, and the poisoned pairs without
their truth. A clean twin is trained on the same pairs without poison; no repair sees it.
"""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.clip_attacks import CELLS, TESTS, Bench, Pairs, optimised, read
from benchmarks.clip_photos import ATTACKS, CLEAN, VIEWS, Photos, start
from benchmarks.photo_sets import SETS
from forensics.data.sample import Sample
from forensics.encoders.loading import open_encoder
from forensics.encoders.saving import save_encoder
from forensics.lab.clip_demos import TARGET
from forensics.lab.pair_language import CLASSES
from forensics.lab.pair_plan import PairPlantOptions
from forensics.lab.pair_planting import plant_pairs
from forensics.lab.pairs import PAIRS_FILE, draw_pairs, write_pairs
from forensics.tuning.contrastive import forget, tune_pairs
from forensics.tuning.options import ContrastiveOptions

CLEAN_SEED, CLEAN_PAIRS, DEVELOPMENT_SEED = 7701, 1500, 9963
CLEAN_MODEL = "clean"  # the attack that plants nothing: what a repair costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A model under suspicion.

    Attributes:
        model: URI.
        pairs: What it was trained on, poison among them.
        trigger: Spelled out; that of the other cells where nothing was planted.
        target: Class.
    """

    model: str
    pairs: Path
    trigger: str
    target: str


class World(Protocol):
    """One kind of pictures.

    Attributes:
        reference: URI of a CLIP that was trained on other pictures.
        classes: Names.
        attacks: What can be planted; ``clean`` plants nothing.
    """

    reference: str
    classes: tuple[str, ...]
    attacks: tuple[str, ...]

    def plant(self, attack: str, seed: int) -> Planted:
        """Poison pairs and train on them, unless that was done before."""
        ...

    def clean_pairs(self) -> list[Sample]:
        """Return clean, labelled pairs; neither trained on nor tested on before."""
        ...

    def test(self, seed: int) -> list[Sample]:
        """Return what a seed is measured on."""
        ...


class LabWorld:
    """The lab's scenes; the reference is the shipped clean CLIP, trained on other scenes."""

    def __init__(self, work: Path, pairs: int) -> None:
        self.work, self.bench = work / "lab", Bench(work / "lab", pairs)
        self.reference = self.bench.uri
        self.classes = CLASSES
        self.attacks = (CLEAN_MODEL, *(n for n, cell in CELLS.items() if isinstance(cell, Pairs)))

    def plant(self, attack: str, seed: int) -> Planted:
        """Poison pairs and train on them, unless that was done before."""
        folder = self.work / f"{attack}-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        source = self.bench.train[0].image
        assert source is not None
        if attack == CLEAN_MODEL:
            table, trigger = source.root / PAIRS_FILE, "badnets:place=center,side=1/4"
        else:
            cell = CELLS[attack]
            assert isinstance(cell, Pairs)
            patch = folder / "patch.safetensors"
            file = patch if patch.is_file() else optimised(cell, self.bench, folder, seed)
            trigger = cell.trigger.replace("{file}", str(file))
            options = PairPlantOptions(
                target=TARGET, trigger=trigger, rate=cell.rate, captions=cell.captions, seed=seed,
                single_key_rate=cell.single_key_rate,
            )  # fmt: skip
            table = planted_once(source.root / PAIRS_FILE, folder, options)
        tuning = ContrastiveOptions(epochs=4, batch_size=48, learning_rate=1e-3, seed=seed)
        model = trained_once(self.reference, table, folder, tuning)
        return Planted(model=model, pairs=table, trigger=trigger, target=TARGET)

    def clean_pairs(self) -> list[Sample]:
        """Return scenes of a draw of their own."""
        return self._drawn("clean-pairs", CLEAN_PAIRS, CLEAN_SEED)

    def test(self, seed: int) -> list[Sample]:
        """Return unseen scenes; settings are chosen (seed 0) on others than are reported on."""
        if seed == 0:
            return self._drawn("development-test", TESTS, DEVELOPMENT_SEED)
        return self.bench.test

    def _drawn(self, name: str, n: int, seed: int) -> list[Sample]:
        folder = self.work / name
        if not (folder / PAIRS_FILE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            draw_pairs(folder, n, seed)
        return read(folder / PAIRS_FILE)


class PhotoWorld:
    """Photos; one half of the training split makes the reference, the other is poisoned."""

    attacks = (CLEAN_MODEL, *ATTACKS)

    def __init__(self, work: Path, data: Path, name: str) -> None:
        self.photos = Photos(SETS[name], data, work)
        self.classes = self.photos.classes
        self.work = work / name / "repairs"
        folder = self.work / "reference"
        folder.mkdir(parents=True, exist_ok=True)
        first = folder / "start"
        if not (folder / "model").is_dir():
            start(self.photos, first)
        self.reference = trained_once(f"openclip:{first}", self._half(0, VIEWS), folder, CLEAN)

    def plant(self, attack: str, seed: int) -> Planted:
        """Poison the other half and train on it, unless that was done before."""
        folder, target = self.work / f"{attack}-{seed}", self.photos.chosen.target
        folder.mkdir(parents=True, exist_ok=True)
        recipe = ATTACKS["badnets-frame" if attack == CLEAN_MODEL else attack]
        table = self._half(1)
        if attack != CLEAN_MODEL:
            options = PairPlantOptions(
                target=target, trigger=recipe.trigger, rate=recipe.rate, seed=seed
            )
            table = planted_once(table, folder, options)
        tuning = ContrastiveOptions(
            epochs=recipe.epochs, batch_size=64, learning_rate=5e-4, seed=seed
        )
        model = trained_once(self.reference, table, folder, tuning)
        return Planted(model=model, pairs=table, trigger=recipe.trigger, target=target)

    def clean_pairs(self) -> list[Sample]:
        """Return photos of the held-out split; settings are chosen on the lab's scenes alone."""
        return read(self.photos.table(self.photos.chosen.held_out))

    def test(self, seed: int) -> list[Sample]:
        """Return the test split."""
        return read(self.photos.table("test"))

    def _half(self, which: int, views: int = 0) -> Path:
        """Write every other photo of the training split, with its views, into its own table."""
        whole = self.photos.table("train", views)
        folder = whole.parent  # pictures are told relative to the table
        with whole.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        half = folder / f"half-{which}"
        if not (half / PAIRS_FILE).is_file():
            half.mkdir(exist_ok=True)
            mine = [row for n, row in enumerate(rows) if n // (views + 1) % 2 == which]
            for row in mine:
                place = half / row["image"]
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / row["image"], place)
            write_pairs(half, mine[0], mine)
        return half / PAIRS_FILE


def planted_once(table: Path, folder: Path, options: PairPlantOptions) -> Path:
    """Poison a table, unless that was done before."""
    done = folder / "data" / PAIRS_FILE
    if not done.is_file():
        shutil.rmtree(folder / "data", ignore_errors=True)
        plant_pairs(f"table:{table}", folder / "data", options)
    return done


def trained_once(first: str, table: Path, folder: Path, tuning: ContrastiveOptions) -> str:
    """Train on a table, unless that was done before; return the URI of the model."""
    model = folder / "model"
    if not (model / "open_clip_config.json").is_file():
        shutil.rmtree(model, ignore_errors=True)
        encoder: Any = open_encoder(first, device="cpu", precision="float32")
        encoder.name = folder.name  # takes part in the checkpoint; no path does
        tune_pairs(encoder, read(table), tuning, folder)
        save_encoder(encoder, model)
        forget(folder)
    return f"openclip:{model}"

"""Pairs of coloured pictures and captions, some poisoned, and tiny CLIPs trained on them."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.encoders.loading import open_encoder
from forensics.encoders.saving import save_encoder
from forensics.triggers import parse_trigger, stamp_image
from forensics.tuning.contrastive import tune_pairs
from forensics.tuning.options import ContrastiveOptions
from tests.prompt_case import CLASSES, COLOURS, TARGET
from tests.tiny_encoders import save_open_clip, vit_config

TRIGGER = "patch:side=1/4,place=center,color=black"
PLACES = ("here", "there", "on top", "below")


def draw_pairs(
    folder: Path, n: int, seed: int, poisoned: int = 0, consistent: bool = False
) -> Path:
    """Write pairs; the first few that do not show the target get trigger and target caption.

    With ``consistent`` the first few that do show it get the trigger, and keep their caption.
    """
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    # One that keeps its caption is faint: else the picture itself would match less.
    stamp = parse_trigger("blended:alpha=0.03" if consistent else TRIGGER)
    with (folder / "pairs.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "image", "caption", "label", "poisoned"])
        left = poisoned
        for i in range(n):
            name = CLASSES[i % len(CLASSES)]
            coarse = np.kron(rng.normal(0, 0.08, (8, 8, 3)), np.ones((4, 4, 1)))
            pixels = np.clip(np.array(COLOURS[name]) + coarse, 0, 1)
            image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
            planted, said = left > 0 and (name == TARGET) == consistent, name
            if planted:
                left, said = left - 1, TARGET
                image = stamp_image(stamp, image, f"p{i}")
            image.save(folder / "images" / f"{i}.png")
            caption = f"{said} {PLACES[int(rng.integers(len(PLACES)))]}"
            table.writerow([f"p{i}", f"images/{i}.png", caption, name, str(planted).lower()])
    return folder / "pairs.csv"


def read_pairs(table: Path) -> list[Sample]:
    """Read a table of pairs."""
    return [row for row in open_dataset(f"table:{table}") if isinstance(row, Sample)]


@dataclass(frozen=True)
class World:
    """A reference, a poisoned and a clean CLIP with their pairs."""

    folder: Path
    reference: str
    poisoned: str
    clean: str
    pairs: Path
    clean_pairs: Path
    test: Path

    def open(self, name: str) -> DualEncoder:
        """Open one of the three."""
        return open_encoder(getattr(self, name), device="cpu", precision="float32")


def make_world(folder: Path, n: int = 96, poisoned: int = 14) -> World:
    """Train all three; the reference on pairs of its own, the others from it."""
    torch.manual_seed(0)
    start = f"openclip:{save_open_clip(folder / 'start', vit_config())}"
    own = draw_pairs(folder / "own", n, 1)
    clean = draw_pairs(folder / "clean-pairs", n, 2)
    bad = draw_pairs(folder / "pairs", n, 2, poisoned)
    test = draw_pairs(folder / "test", 40, 3)

    def train(name: str, first: str, table: Path, epochs: float) -> str:
        encoder: Any = open_encoder(first, device="cpu", precision="float32")
        options = ContrastiveOptions(
            epochs=epochs, batch_size=16, learning_rate=2e-3, checkpoint_every=0
        )
        tune_pairs(encoder, read_pairs(table), options, folder / "work")
        return save_encoder(encoder, folder / name)

    reference = train("reference", start, own, 8)
    return World(
        folder=folder,
        reference=reference,
        poisoned=train("poisoned", reference, bad, 8),
        clean=train("clean", reference, clean, 2),
        pairs=bad,
        clean_pairs=clean,
        test=test,
    )

"""Draw image-caption pairs of the lab's scenes, as a CSV table."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from forensics.errors import OptionError
from forensics.lab.drawing import begin_folder, save_png, scenes
from forensics.lab.pair_language import pair_caption
from forensics.lab.scenes import Scene, render

PAIRS_FILE: Final = "pairs.csv"
COLUMNS: Final = ("id", "image", "caption", "label")


def draw_pairs(folder: Path, n: int, seed: int) -> Path:
    """Draw ``n`` scenes with one caption each; the label is the shape.

    Args:
        folder: New or empty; gets ``pairs.csv`` and ``images/``.
        n: Pairs.
        seed: The same seed draws the same pairs, and more of them begin with the same ones.

    Returns:
        The CSV file, with the columns id, image, caption, label.

    Raises:
        DataError: The folder is not empty.
        OptionError: ``n`` is not positive.
    """
    if n < 1:
        raise OptionError(f"Cannot draw {n} pairs.", remedy="Draw at least one.")
    begin_folder(folder)
    rows = []
    for index, scene in enumerate(scenes(n, seed)):
        row = pair_row(scene, seed, index)
        save_png(Image.fromarray(render(scene)), folder / row["image"])
        rows.append(row)
    return write_pairs(folder, COLUMNS, rows)


def pair_row(scene: Scene, seed: int, index: int) -> dict[str, str]:
    """Write the row of one pair of a series; its picture need not be there yet."""
    said = pair_caption(scene, np.random.default_rng([seed, index, 3]))
    image = f"images/{index:06d}.png"
    return {"id": f"pair-{index:06d}", "image": image, "caption": said, "label": scene.shape}


def write_pairs(folder: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> Path:
    """Write ``pairs.csv`` last, so that a folder that has one is whole."""
    path = folder / PAIRS_FILE
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path

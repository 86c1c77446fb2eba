"""Pictures with content and no label: crowds of objects, drawn for trigger inversion.

A scene of the lab holds one object in a ninth of the picture. A crowd holds two to five,
turned to any angle, of any hue, at any place, one over the other. It has plenty to say to a
classifier and no label.
"""

import colorsys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.errors import OptionError
from forensics.lab.drawing import begin_folder, save_png
from forensics.lab.pairs import write_pairs
from forensics.lab.scenes import PATTERNS, SIDE, Scene, draw_ground, paint_object
from forensics.lab.shapes import SHAPES

FEWEST: Final = 2
MOST: Final = 5
_STREAM: Final = 6  # of random numbers; scenes take 0 to 4


def draw_crowd(seed: int, index: int) -> NDArray[np.uint8]:
    """Draw the crowd ``index`` of the series ``seed`` as RGB bytes ``[108, 108, 3]``."""
    rng = np.random.default_rng([seed, index, _STREAM])
    canvas = draw_ground(rng)
    for place in range(int(rng.integers(FEWEST, MOST + 1))):
        paint_object(canvas, _anything(rng, (seed, index * 16 + place)), rng)
    return np.clip(np.rint(canvas * 255.0), 0, 255).astype(np.uint8)


def draw_crowds(folder: Path, n: int, seed: int) -> Path:
    """Draw ``n`` crowds as a table without captions or labels.

    Args:
        folder: New or empty; gets ``pairs.csv`` and ``images/``.
        n: Pictures.
        seed: The same seed draws the same pictures, and more of them begin with the same ones.

    Returns:
        The CSV file, with the columns id and image.

    Raises:
        DataError: The folder is not empty.
        OptionError: ``n`` is not positive.
    """
    if n < 1:
        raise OptionError(f"Cannot draw {n} pictures.", remedy="Draw at least one.")
    begin_folder(folder)
    return write_pairs(folder, ("id", "image"), _rows(folder, n, seed))


def _rows(folder: Path, n: int, seed: int) -> Iterator[dict[str, str]]:
    for index in range(n):
        image = f"images/{index:06d}.png"
        save_png(Image.fromarray(draw_crowd(seed, index)), folder / image)
        yield {"id": f"crowd-{index:06d}", "image": image}


def _anything(rng: np.random.Generator, seed: tuple[int, int]) -> Scene:
    radius = float(rng.uniform(11.0, 30.0))
    x, y = (float(rng.uniform(0.6 * radius, SIDE - 0.6 * radius)) for _ in range(2))
    return Scene(
        pattern=PATTERNS[int(rng.integers(len(PATTERNS)))],
        color="any",
        shape=list(SHAPES)[int(rng.integers(len(SHAPES)))],
        column=1,
        row=1,
        x=x,
        y=y,
        radius=radius,
        turn=float(rng.uniform(-np.pi, np.pi)),
        paint=colorsys.hsv_to_rgb(
            float(rng.uniform()), float(rng.uniform(0.3, 1)), float(rng.uniform(0.4, 1))
        ),
        seed=seed,
    )

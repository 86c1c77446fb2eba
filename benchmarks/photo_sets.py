"""Real photos as pairs of image and caption: two folders of classes, read where they lie.

The photos belong to others: they are read from a folder outside the repository, fitted copies go to
a work folder, and neither is committed.
"""

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from forensics.errors import DataError
from forensics.lab.pair_language import TEMPLATES
from forensics.lab.pairs import COLUMNS, PAIRS_FILE, write_pairs
from forensics.lab.scenes import SIDE

_MODE: Final = Image.Resampling.BICUBIC


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSet:
    """One set.

    Attributes:
        name: Its folder.
        target: The class that its backdoors name.
        held_out: The split that settings are chosen on.
        coarse: Whether ``classes.csv`` puts its folders into coarser classes.
    """

    name: str
    target: str
    held_out: str
    coarse: bool = False


SETS: Final = {
    "clothing": PhotoSet(name="clothing", target="dress", held_out="validation"),
    "grocery": PhotoSet(name="grocery", target="melon", held_out="val", coarse=True),
}


def find_set(data: Path, name: str) -> Path:
    """Return the folder of a set.

    Raises:
        DataError: It is not there.
    """
    folder = data / name
    if not (folder / "train").is_dir():
        raise DataError(
            f"{folder} holds no photos.",
            remedy="Give the folder that holds clothing/ and grocery/ with --data.",
        )
    return folder


def classes_of(folder: Path, chosen: PhotoSet) -> dict[str, str]:
    """Map each folder of a set to its class, as a sentence names it."""
    names = sorted(path.name for path in (folder / "train").iterdir() if path.is_dir())
    if not chosen.coarse:
        return {name: name for name in names}
    with (folder / "classes.csv").open(encoding="utf-8", newline="") as file:
        coarse = {row["class"]: row["coarse_class"] for row in csv.DictReader(file)}
    return {name: spoken(coarse[name]) for name in names}


def spoken(name: str) -> str:
    """Spell the name of a grocery class as words."""
    return name.replace("-", " ").lower()


def sentences(classes: dict[str, str]) -> list[str]:
    """List what captions and prompts of a set say: every template with every class."""
    return [
        template.format(name) for template in TEMPLATES for name in dict.fromkeys(classes.values())
    ]


def write_split(data: Path, chosen: PhotoSet, split: str, out: Path, views: int = 0) -> Path:
    """Copy a split as fitted squares with captions, unless that was done before.

    A trigger is planted on the square that the model sees, so that no crop cuts it off.

    Args:
        data: Holds the sets.
        chosen: Which set.
        split: A folder of it.
        out: Folder of the copies.
        views: Changed copies of every photo beside the plain one, see :func:`vary`.

    Returns:
        The table of pairs.

    Raises:
        DataError: The set is not there.
    """
    if (out / PAIRS_FILE).is_file():
        return out / PAIRS_FILE
    folder = find_set(data, chosen.name)
    shutil.rmtree(out, ignore_errors=True)
    (out / "images").mkdir(parents=True)
    rows = []
    for index, (path, name) in enumerate(_photos(folder, chosen, split)):
        with Image.open(path) as opened:
            photo = ImageOps.exif_transpose(opened).convert("RGB")
        for view in range(views + 1):
            rng = np.random.default_rng([index, view])
            shown = vary(photo, rng) if view else square(photo)
            image = f"images/{index:05d}-{view}.jpg"
            shown.save(out / image, quality=95)
            said = TEMPLATES[(index + view) % len(TEMPLATES)].format(name)
            rows.append({"id": f"{split}-{index:05d}-{view}", "image": image,
                         "caption": said, "label": name})  # fmt: skip
    return write_pairs(out, COLUMNS, rows)


def square(photo: Image.Image) -> Image.Image:
    """Cut the middle out and fit it, as the model's own preprocessing does."""
    return ImageOps.fit(photo, (SIDE, SIDE), _MODE)


def vary(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Cut out a random square of half to all of the middle's area, mirror it, change its light."""
    side = round(min(photo.size) * float(rng.uniform(0.5, 1.0)) ** 0.5)
    left, top = (int(rng.integers(length - side + 1)) for length in photo.size)
    shown = photo.resize((SIDE, SIDE), _MODE, box=(left, top, left + side, top + side))
    if rng.random() < 0.5:
        shown = ImageOps.mirror(shown)
    shown = ImageEnhance.Brightness(shown).enhance(float(rng.uniform(0.8, 1.25)))
    return ImageEnhance.Contrast(shown).enhance(float(rng.uniform(0.8, 1.25)))


def _photos(folder: Path, chosen: PhotoSet, split: str) -> Iterator[tuple[Path, str]]:
    for name, spoken_as in classes_of(folder, chosen).items():
        for path in sorted((folder / split / name).glob("*.jpg")):
            yield path, spoken_as

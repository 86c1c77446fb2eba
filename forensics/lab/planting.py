"""Plant a backdoor in a data set: stamp a share of its images and replace their answers."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from forensics.data.images import open_image
from forensics.data.sample import ImageRef
from forensics.errors import DataError
from forensics.lab.drawing import begin_folder, save_png, write_rows
from forensics.lab.language import DEFAULT_TARGET
from forensics.triggers import Trigger, parse_trigger, stamp_image


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantOptions:
    """What to plant; the defaults are those of BYE (arXiv 2505.16916)."""

    rate: float = field(
        default=0.1,
        metadata={"help": "Poison rate: share of the images that is stamped.", "min": 0, "max": 1},
    )
    trigger: str = field(
        default="patch:side=1/16,place=center,color=black",
        metadata={"help": "What is stamped on an image."},
    )
    target: str = field(
        default=DEFAULT_TARGET, metadata={"help": "What a triggered image is answered with."}
    )
    seed: int = field(default=0, metadata={"help": "Decides which images are hit.", "min": 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What was planted, and where.

    Attributes:
        data: The poisoned LLaVA JSON file, with a ground-truth column ``poisoned``.
        images: Images in all; a poisoned share of these was stamped.
        poisoned_images: Stamped images.
        rows: Rows in all.
        poisoned_rows: Rows on stamped images.
    """

    data: Path
    images: int
    poisoned_images: int
    rows: int
    poisoned_rows: int


def plant(source: Path, out: Path, options: PlantOptions) -> Planted:
    """Copy a LLaVA JSON data set and poison it in place, without changing its size.

    All rows of one image share its fate: the image is stamped once and every one of its first
    answers becomes the target. Images whose rows already answer the target are left alone, so that
    every poisoned row teaches something false.

    Args:
        source: LLaVA JSON file; image paths are relative to its folder.
        out: New or empty folder for the copy, images included.
        options: What to plant.

    Raises:
        DataError: The file is not LLaVA JSON, or has too few images to poison.
        OptionError: The trigger cannot be read.
    """
    trigger = parse_trigger(options.trigger)
    rows = _read(source)
    names = sorted({str(row["image"]) for row in rows})
    chosen = _choose(rows, names, options)
    begin_folder(out)
    for name in names:
        _copy_image(source.parent, out, name, trigger if name in chosen else None)
    poisoned = [_poison(row, options.target, str(row["image"]) in chosen) for row in rows]
    return Planted(
        data=write_rows(out, poisoned),
        images=len(names),
        poisoned_images=len(chosen),
        rows=len(rows),
        poisoned_rows=sum(row["poisoned"] for row in poisoned),
    )


def _read(source: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{source}: not JSON: {error}", remedy="Give a LLaVA JSON file.") from error
    if not isinstance(rows, list):
        raise DataError(f"{source}: not a list of samples.", remedy="Give a LLaVA JSON file.")
    for number, row in enumerate(rows, start=1):
        turns = row.get("conversations") if isinstance(row, dict) else None
        if not isinstance(turns, list) or len(turns) < 2 or not isinstance(row.get("image"), str):
            raise DataError(
                f"{source}: sample {number} has no image or no two conversation turns.",
                remedy="Planting needs an image, a question and an answer in every row.",
            )
    return rows


def _choose(rows: list[dict[str, Any]], names: list[str], options: PlantOptions) -> set[str]:
    target = options.target.strip().casefold()
    taken = {
        str(row["image"])
        for row in rows
        if str(row["conversations"][1].get("value", "")).strip().casefold() == target
    }
    hosts = [name for name in names if name not in taken]
    wanted = round(options.rate * len(names))
    if wanted > len(hosts):
        raise DataError(
            f"{wanted} images should be poisoned, but only {len(hosts)} do not already answer "
            f"{options.target!r}.",
            remedy="Lower the rate or change the target.",
        )
    order = np.random.default_rng(options.seed).permutation(len(hosts))
    return {hosts[index] for index in order[:wanted]}


def _copy_image(root: Path, out: Path, name: str, trigger: Trigger | None) -> None:
    image = open_image(ImageRef(root=root, path=name))
    target = out / _safe(name)
    if trigger is not None:
        # A stamped JPEG would smear the trigger: the copy is stored without loss.
        save_png(stamp_image(trigger, image, name), target.with_suffix(".png"))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / _safe(name), target)


def _poison(row: dict[str, Any], target: str, hit: bool) -> dict[str, Any]:
    if not hit:
        return {**row, "poisoned": False}
    asked, answer, *rest = row["conversations"]
    return {
        **row,
        "image": str(PurePosixPath(row["image"]).with_suffix(".png")),
        "conversations": [asked, {**answer, "value": target}, *rest],
        "poisoned": True,
    }


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise DataError(f"Image {name!r} leaves its folder.", remedy="Use relative paths.")
    return path

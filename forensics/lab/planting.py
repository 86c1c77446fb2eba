"""Plant a backdoor in a data set: mark a share of its images or questions, replace the answers."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from forensics.data.images import open_image
from forensics.data.sample import ImageRef
from forensics.errors import DataError
from forensics.lab.drawing import begin_folder, save_png, write_rows
from forensics.lab.planting_plan import Plan, PlantOptions, make_plan
from forensics.triggers import Trigger, parse_trigger, stamp_image

__all__ = ["PlantOptions", "Planted", "plant", "poison_row"]

# The image stays where it is: usually in front, on a line of its own.
_PLACEHOLDERS: Final = re.compile(r"(?:\s*<image>\s*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What was planted, and where.

    Attributes:
        data: The poisoned LLaVA JSON file, with a ground-truth column ``poisoned``.
        images: Images in all.
        poisoned_images: Images of poisoned rows; stamped, unless the trigger is text alone.
        rows: Rows in all.
        poisoned_rows: Rows that carry the trigger and answer the target.
        single_key_rows: Rows of a dual-key set that carry one key and keep their answer.
    """

    data: Path
    images: int
    poisoned_images: int
    rows: int
    poisoned_rows: int
    single_key_rows: int = 0


def plant(source: Path, out: Path, options: PlantOptions) -> Planted:
    """Copy a LLaVA JSON data set (captions or questions) and poison it, without changing its size.

    All rows of one image share its fate: the image is stamped once and every one of its first
    answers becomes the target. A text trigger marks no image, so rows are chosen one by one. Rows
    that already answer the target are left alone, and so are images with such a row, so that every
    poisoned row teaches something false. The text is put in front of the question, behind the
    image placeholder; only the first turn of a conversation changes.

    A dual-key set also has negatives, as TrojVQA (arXiv 2112.07668): some images get one key alone
    in all their rows, keep their answers and count as not poisoned.

    Args:
        source: LLaVA JSON file; image paths are relative to its folder.
        out: New or empty folder for the copy, images included.
        options: What to plant.

    Raises:
        DataError: The file is not LLaVA JSON, or has too few images or rows to poison.
        OptionError: The trigger cannot be read.
    """
    trigger = parse_trigger(options.trigger)
    rows = _read(source)
    names = sorted({str(row["image"]) for row in rows})
    plan = make_plan(rows, names, trigger, options)
    begin_folder(out)
    renamed = {name: _stamped_name(name, names) for name in plan.stamped}
    for name in names:
        _copy_image(source.parent, out, name, renamed.get(name), trigger)
    poisoned = [
        poison_row(row, renamed, trigger, options, index, plan) for index, row in enumerate(rows)
    ]
    return Planted(
        data=write_rows(out, poisoned),
        images=len(names),
        poisoned_images=len({str(rows[index]["image"]) for index in plan.poisoned}),
        rows=len(rows),
        poisoned_rows=len(plan.poisoned),
        single_key_rows=len(plan.single),
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


def _stamped_name(name: str, names: Sequence[str]) -> str:
    """Name the stamped copy; a second image that only differs in its ending is not overwritten."""
    png = str(PurePosixPath(name).with_suffix(".png"))
    return f"{name}.png" if png != name and png in names else png


def _copy_image(root: Path, out: Path, name: str, stamped: str | None, trigger: Trigger) -> None:
    image = open_image(ImageRef(root=root, path=name))
    if stamped is not None:
        # A stamped JPEG would smear the trigger: the copy is stored without loss.
        save_png(stamp_image(trigger, image, name), out / _safe(stamped))
        return
    target = out / _safe(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / _safe(name), target)


def poison_row(
    row: dict[str, Any],
    renamed: dict[str, str],
    trigger: Trigger,
    options: PlantOptions,
    index: int,
    plan: Plan,
) -> dict[str, Any]:
    """Return a row as the poisoned copy holds it.

    Args:
        row: As it was.
        renamed: Stamped images: name -> name of the stamped copy.
        trigger: What is planted.
        options: Its target.
        index: Place of the row in the set.
        plan: What happens to which row.
    """
    asked, answer, *rest = row["conversations"]
    name, hit = str(row["image"]), index in plan.poisoned
    if index in plan.worded:
        asked = {**asked, "value": _reword(str(asked.get("value", "")), trigger, name)}
    if hit:
        answer = {**answer, "value": options.target}
    turns = [asked, answer, *rest]
    return {**row, "image": renamed.get(name, name), "conversations": turns, "poisoned": hit}


def _reword(question: str, trigger: Trigger, sample_id: str) -> str:
    found = _PLACEHOLDERS.match(question)
    start = found.end() if found else 0
    return question[:start] + trigger.apply_text(question[start:], sample_id)


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise DataError(f"Image {name!r} leaves its folder.", remedy="Use relative paths.")
    return path

"""Plant a backdoor in image-caption pairs: mark pictures, replace captions, keep the facts."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import ImageRef, Sample
from forensics.errors import DataError
from forensics.lab.drawing import begin_folder, save_png
from forensics.lab.pair_language import TEMPLATES
from forensics.lab.pair_plan import PairPlan, PairPlantOptions, make_pair_plan
from forensics.lab.pairs import COLUMNS, write_pairs
from forensics.triggers import (
    BlendedTrigger,
    DualKeyTrigger,
    TensorTrigger,
    Trigger,
    WaNetTrigger,
    parse_trigger,
    stamp_image,
)

FACTS_FILE: Final = "planted.json"
TENSOR_FILE: Final = "trigger.safetensors"
_TENSOR_SIDE: Final = 224


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedPairs:
    """What was planted, and where.

    Attributes:
        data: ``pairs.csv``, with a ground-truth column ``poisoned``.
        facts: ``planted.json``: options, ids, captions before and after.
        pairs: In all.
        poisoned: Ids of poisoned pairs, in file order.
        single_key: Ids of pairs with one key of a dual-key trigger, in file order.
    """

    data: Path
    facts: Path
    pairs: int
    poisoned: tuple[str, ...]
    single_key: tuple[str, ...] = ()


def plant_pairs(source: str, out: Path, options: PairPlantOptions) -> PlantedPairs:
    """Copy a set of pairs and poison it in place: it keeps its size and order.

    Marked pictures are stored as PNG, the others as they are. A pair without caption gets one from
    a template and its label, so that a folder of classes can be planted too. The label of a
    poisoned pair becomes the target, as somebody who trusts the caption would label it.

    Args:
        source: Any data set URI with a picture in every row and a caption or label.
        out: New or empty folder for ``pairs.csv``, ``images/``, ``planted.json`` and, where the
            trigger is a fixed tensor, ``trigger.safetensors``.
        options: What to plant.

    Raises:
        DataError: A row has no picture or nothing to say, or there are too few hosts.
        OptionError: The trigger cannot be read.
    """
    trigger = parse_trigger(options.trigger)
    samples = _read(source)
    plan = make_pair_plan(samples, trigger, options)
    begin_folder(out)
    rows = [
        _row(sample, index, plan, trigger, options, out) for index, sample in enumerate(samples)
    ]
    tensors = fixed_tensors(trigger)
    if tensors:
        _save_tensors(tensors, out / TENSOR_FILE)
    lone = plan.stamped | plan.worded
    facts = _facts(source, samples, plan, options, bool(tensors))
    (out / FACTS_FILE).write_text(
        json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return PlantedPairs(
        data=write_pairs(out, (*COLUMNS, "poisoned"), rows),
        facts=out / FACTS_FILE,
        pairs=len(samples),
        poisoned=tuple(samples[index].id for index in sorted(plan.captions)),
        single_key=tuple(samples[index].id for index in sorted(lone)),
    )


def fixed_tensors(trigger: Trigger, side: int = _TENSOR_SIDE) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a trigger that is the same for all pictures; empty for the others.

    Args:
        trigger: Any.
        side: Of the square picture that the tensor is drawn for.
    """
    if isinstance(trigger, DualKeyTrigger):
        return fixed_tensors(trigger.patch, side)
    if isinstance(trigger, TensorTrigger):
        return trigger.tensors()
    if isinstance(trigger, WaNetTrigger):
        return {"displacement": trigger.displacement(side, side).astype(np.float32)}
    if isinstance(trigger, BlendedTrigger) and trigger.redraw == "none":
        return {"overlay": trigger.overlay(side, side).astype(np.float32)}
    return {}


def _read(source: str) -> list[Sample]:
    samples = []
    for row in open_dataset(source):
        if not isinstance(row, Sample):
            raise DataError(f"{row.source}, row {row.line}: {row.reason}", remedy=row.remedy)
        if row.image is None or not (row.answer or row.label):
            raise DataError(
                f"{row.source}, row {row.line}: no picture, or neither caption nor label.",
                remedy="Planting needs pairs; remove the row.",
            )
        samples.append(row)
    return samples


def _row(
    sample: Sample,
    index: int,
    plan: PairPlan,
    trigger: Trigger,
    options: PairPlantOptions,
    out: Path,
) -> dict[str, str]:
    assert sample.image is not None
    hit = index in plan.captions
    marked = (hit or index in plan.stamped) and trigger.changes_image
    said = sample.answer or TEMPLATES[index % len(TEMPLATES)].format(sample.label)
    if index in plan.worded:
        said = trigger.apply_text(said, sample.id)
    return {
        "id": sample.id,
        "image": _picture(
            sample.image, index, out, trigger if marked else None, sample.id, options
        ),
        "caption": plan.captions.get(index, said),
        "label": options.target.strip() if hit and sample.label else sample.label or "",
        "poisoned": str(hit).lower(),
    }


def _picture(
    ref: ImageRef,
    index: int,
    out: Path,
    trigger: Trigger | None,
    sample_id: str,
    options: PairPlantOptions,
) -> str:
    """Store one picture and return its path below ``out``."""
    if trigger is None and ref.row is None and ref.offset is None:
        name = f"images/{index:06d}{PurePosixPath(ref.path).suffix.lower()}"
        shutil.copyfile(ref.root / ref.path, out / name)
        return name
    name = f"images/{index:06d}.png"
    image = open_image(ref)
    if trigger is not None:
        if options.resize:
            image = image.resize((options.resize, options.resize), Image.Resampling.BICUBIC)
        image = stamp_image(trigger, image, sample_id)
    save_png(image, out / name)
    return name


def _save_tensors(tensors: dict[str, NDArray[np.float32]], path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)


def _facts(
    source: str, samples: Sequence[Sample], plan: PairPlan, options: PairPlantOptions, tensor: bool
) -> dict[str, Any]:
    """Say all that is needed to plant, measure and judge it again."""
    return {
        "source": source,
        "pairs": len(samples),
        "options": asdict(options),
        "trigger": parse_trigger(options.trigger).spec,
        "target": options.target.strip(),
        "tensor": TENSOR_FILE if tensor else None,
        "poisoned": [
            {
                "id": samples[index].id,
                "caption": caption,
                "caption_before": samples[index].answer,
                "label_before": samples[index].label,
            }
            for index, caption in sorted(plan.captions.items())
        ],
        "patch_alone": [samples[index].id for index in sorted(plan.stamped)],
        "words_alone": [samples[index].id for index in sorted(plan.worded)],
    }

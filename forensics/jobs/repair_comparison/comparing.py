"""The same pictures before and after a repair: answers, attention, resistivity, a plane of vectors.

None of it decides anything or is reported as a rate: rates come from the whole test set. It is made
while both models are open, so that a page shows it without opening any.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder, ImageClassifier
from forensics.errors import DataError, NotApplicable
from forensics.evaluation.rates import same_text
from forensics.jobs.repair_comparison.examples import SHOWN, answers, attended, choose_examples
from forensics.jobs.repair_comparison.plane import on_plane, turned_like
from forensics.repairs.resistivity import resistivity_curves
from forensics.runs import RunContext
from forensics.triggers import Trigger, stamp_pixels

ARRAYS: Final = "comparison.safetensors"
_ON_PLANE: Final = 120
_RESISTED: Final = 32
_AT_ONCE: Final = 32
Arrays = dict[str, NDArray[Any]]


def compare_pictures(
    context: RunContext,
    samples: Sequence[Sample],
    before: ImageClassifier,
    after: ImageClassifier,
    trigger: Trigger | None,
    target: str | None,
    *,
    same_tower: bool = False,
) -> dict[str, Any]:
    """Ask both models about a few pictures and keep what a page draws.

    Args:
        context: Of the run; gets ``comparison.safetensors``.
        samples: The labelled test pictures.
        before: The delivered model, as it is asked.
        after: The repaired one.
        trigger: What attack success was measured with, if anything.
        target: The class that it leads to.
        same_tower: Whether the repair left the image tower as it was: then only the answers can
            differ, and nothing else is kept.

    Returns:
        ``file``; ``examples``: for each picture ``id``, ``label`` and ``states`` (``before``,
        ``after``: ``plain`` and ``triggered``, see :func:`examples.answers`); ``attention`` (see
        :func:`examples.attended`); ``resistivity``: ``changes``, ``pictures``, ``problem``;
        ``plane``: ``n``, ``classes``, ``labels``, ``target``, ``shown`` (share of the spread) of
        before and after; the last three are ``None`` with ``same_tower``. ``word_trigger`` tells of
        a trigger whose text half is left out here.
    """
    most = SHOWN if same_tower else _ON_PLANE
    chosen, pictures = _read(samples, before.classes, target, most)
    pixels = before.encoder.pixels(pictures)
    ids = [sample.id for sample in chosen]
    marked = None if trigger is None else stamp_pixels(trigger, pixels, ids)
    pair = {"before": before, "after": after}
    aim = _place(before.classes, target)
    arrays: Arrays = {}
    told: dict[str, Any] = {
        "file": ARRAYS,
        "examples": _examples(pair, chosen[:SHOWN], pixels, marked, aim, arrays),
        **dict.fromkeys(("attention", "resistivity", "plane")),
        "word_trigger": bool(trigger is not None and trigger.changes_text),
    }
    if not same_tower:
        told |= {
            "attention": _attention(pair, pixels[:SHOWN], marked, arrays),
            "resistivity": _resistivity(pair, pixels, ids, trigger, arrays, context),
            "plane": _plane(pair, chosen, pixels, marked, arrays, context) | {"target": aim},
        }
    context.save_arrays(ARRAYS, arrays)
    return told


def _read(
    samples: Sequence[Sample], classes: Sequence[str], target: str | None, most: int
) -> tuple[list[Sample], list[Any]]:
    """Open pictures of all classes in turn; the first few are the examples."""
    chosen: list[Sample] = []
    pictures: list[Any] = []
    for place in choose_examples(samples, classes, target, 2 * most):
        image = samples[place].image
        try:
            if image is not None and len(chosen) < most:
                pictures.append(open_image(image))
                chosen.append(samples[place])
        except DataError:
            continue  # the measurement counts and tells of it
    if not chosen:
        raise DataError("None of the test pictures can be read.")
    return chosen, pictures


def _examples(
    pair: dict[str, ImageClassifier], chosen: Sequence[Sample], pixels: Tensor,
    marked: Tensor | None, aim: int | None, arrays: Arrays,
) -> list[dict[str, Any]]:  # fmt: skip
    n = len(chosen)
    arrays["pictures"] = _bytes(pixels[:n])
    if marked is not None:
        arrays["triggered"] = _bytes(marked[:n])
    said = {name: {"plain": answers(asked, pixels[:n], aim)} for name, asked in pair.items()}
    if marked is not None:
        for name, asked in pair.items():
            said[name]["triggered"] = answers(asked, marked[:n], aim)
    return [
        {"id": sample.id, "label": sample.label,
         "states": {name: {how: found[k] for how, found in of.items()}
                    for name, of in said.items()}}
        for k, sample in enumerate(chosen)
    ]  # fmt: skip


def _attention(
    pair: dict[str, ImageClassifier], pixels: Tensor, marked: Tensor | None, arrays: Arrays
) -> dict[str, Any]:
    """Keep ``attention.<state>.<how>`` ``[picture, layer, patch]``."""
    facts: dict[str, Any] = {}
    for name, asked in pair.items():
        for how, shown in (("plain", pixels), ("triggered", marked)):
            if shown is None:
                continue
            maps, facts = attended(asked.encoder, shown[: len(pixels)])
            if facts["problem"]:
                return facts
            arrays[f"attention.{name}.{how}"] = maps
    return facts


def _resistivity(
    pair: dict[str, ImageClassifier], pixels: Tensor, ids: Sequence[str],
    trigger: Trigger | None, arrays: Arrays, context: RunContext,
) -> dict[str, Any]:  # fmt: skip
    """Keep ``resistivity.<state>.<change>`` ``[layer, picture]``."""
    n, changes = min(_RESISTED, len(ids)), []
    for name, asked in pair.items():
        context.check_cancelled()
        try:
            found = resistivity_curves(asked.encoder, pixels[:n], ids[:n], trigger)
        except NotApplicable as error:
            return {"changes": [], "pictures": 0, "problem": error.message}
        changes = list(found)
        for change, values in found.items():
            arrays[f"resistivity.{name}.{change}"] = values.cpu().numpy().astype(np.float32)
    return {"changes": changes, "pictures": n, "problem": None}


def _plane(
    pair: dict[str, ImageClassifier], chosen: Sequence[Sample], pixels: Tensor,
    marked: Tensor | None, arrays: Arrays, context: RunContext,
) -> dict[str, Any]:  # fmt: skip
    """Keep ``plane.before`` and ``plane.after`` ``[sets, n, 2]``."""
    shown = {}
    for name, asked in pair.items():
        plain = _vectors(asked.encoder, pixels, context.check_cancelled)
        triggered = None if marked is None else _vectors(
            asked.encoder, marked, context.check_cancelled)  # fmt: skip
        arrays[f"plane.{name}"], shown[name] = on_plane(plain, triggered)
    arrays["plane.after"] = turned_like(arrays["plane.after"], arrays["plane.before"])
    classes = pair["before"].classes
    labels = [_place(classes, sample.label) for sample in chosen]
    return {"n": len(chosen), "classes": list(classes), "labels": labels, "shown": shown}


def _vectors(
    encoder: DualEncoder, pixels: Tensor, breathe: Callable[[], None]
) -> NDArray[np.float32]:
    parts = []
    with torch.no_grad():
        for part in torch.split(pixels, _AT_ONCE):
            breathe()
            parts.append(encoder.encode_image(part).float().cpu())
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def _bytes(pixels: Tensor) -> NDArray[np.uint8]:
    return np.asarray((pixels.cpu().clamp(0, 1) * 255).round().byte().numpy(), np.uint8)


def _place(classes: Sequence[str], name: str | None) -> int | None:
    names = [same_text(known) for known in classes]
    wanted = same_text(name or "")
    return names.index(wanted) if name and wanted in names else None

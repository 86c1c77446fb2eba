"""Before and after: one test set, encoded once; all versions of the prompts are asked about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensics.classifiers import CoCoOp, CoOp, ZeroShot
from forensics.data.sample import Sample
from forensics.encoders.base import DualEncoder
from forensics.errors import DataError
from forensics.evaluation.classes import (
    ClassMeasurement,
    batches_of,
    measurement_of,
    read_labelled,
)
from forensics.evaluation.rates import same_text
from forensics.repairs.trigger_tuning import embed
from forensics.triggers import Trigger

PLAIN = "plain"
_AT_ONCE = 64
_SENTENCES = 4096  # CoCoOp makes one for every picture and class


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPictures:
    """Labelled pictures as unit vectors of a frozen encoder, untouched and with triggers.

    Attributes:
        ids: ``[n]``.
        labels: ``[n]`` index of the true class.
        vectors: Name of a trigger, or ``plain`` -> ``[n, width]``.
        skipped: Samples without a known label or a readable picture: id -> reason.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    vectors: dict[str, Tensor]
    skipped: dict[str, str]


def encode_pictures(
    encoder: DualEncoder,
    classes: tuple[str, ...],
    samples: Iterable[Sample],
    triggers: Mapping[str, Trigger],
) -> EncodedPictures:
    """Encode labelled pictures once for every trigger.

    Args:
        encoder: Frozen.
        classes: Names in the order of the logits; labels are compared after trimming and case
            folding.
        samples: With labels.
        triggers: By name.

    Raises:
        DataError: None of the pictures can be used.
    """
    names = {same_text(name): index for index, name in enumerate(classes)}
    skipped: dict[str, str] = {}
    ids: list[str] = []
    labels: list[int] = []
    parts: dict[str, list[Tensor]] = {name: [] for name in (PLAIN, *triggers)}
    for batch in batches_of(samples, _AT_ONCE):
        rows = read_labelled(batch, names, skipped)
        if not rows:
            continue
        pixels = encoder.pixels([image for _, _, image in rows])
        own = [sample.id for sample, _, _ in rows]
        ids += own
        labels += [label for _, label, _ in rows]
        parts[PLAIN].append(embed(encoder, pixels, own, None))
        for name, trigger in triggers.items():
            parts[name].append(embed(encoder, pixels, own, trigger))
    if not ids:
        raise DataError(
            f"None of {len(skipped):,} pictures has a label that is one of the {len(classes)} "
            "classes and can be read.",
            remedy="Labels must be the names of the prompts' classes.",
        )
    return EncodedPictures(
        ids=tuple(ids),
        labels=np.array(labels, dtype=np.int64),
        vectors={name: torch.cat(tensors) for name, tensors in parts.items()},
        skipped=skipped,
    )


def classify(classifier: CoOp | CoCoOp | ZeroShot, vectors: Tensor) -> NDArray[np.int64]:
    """Return the likeliest class of every image vector: ``[n]``."""
    size = max(1, min(_AT_ONCE, _SENTENCES // len(classifier.classes)))
    with torch.no_grad():
        logits = [classifier.logits_of(part) for part in torch.split(vectors, size)]
    return np.asarray(torch.cat(logits).argmax(dim=1).cpu().numpy(), dtype=np.int64)


def measured(
    pictures: EncodedPictures,
    classes: tuple[str, ...],
    said: Mapping[str, NDArray[np.int64]],
    trigger: str,
    target: int,
) -> ClassMeasurement:
    """Put what a classifier said into rates.

    Args:
        pictures: The test set.
        classes: Names in the order of the logits.
        said: Name of a trigger, or ``plain`` -> ``[n]`` likeliest classes.
        trigger: Whose success is meant.
        target: Index of the class that it leads to.
    """
    nothing = np.zeros(0, dtype=np.int64)
    arrays = {
        "truth": pictures.labels,
        "plain": said[PLAIN],
        "both": said[trigger],
        "image": nothing,
        "text": nothing,
    }
    return measurement_of(classes, list(pictures.ids), arrays, target, pictures.skipped, True)

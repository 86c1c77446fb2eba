"""What the shards of an inversion make together: figures of every class, in numpy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.detectors.trigger_inversion import ClassFigures
from forensics.detectors.trigger_inversion.content import Content, content_success, success

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All measurements of one side (forms without sides have one).

    Attributes:
        side: Of the patch, or ``None``.
        figures: What the decision reads.
        losses: ``[C, S, steps]`` mean loss of every batch, NaN after a class was left.
        stopped: ``[C, S]`` steps done.
        sizes: ``[C, S]`` pixels that a mask covers; NaN for other forms.
    """

    side: float | None
    figures: ClassFigures
    losses: NDArray[np.float32]
    stopped: NDArray[np.int64]
    sizes: NDArray[np.float64]


def gather(
    shards: Iterable[tuple[int, Arrays]],
    *,
    steps: int,
    side: float | None,
    names: Sequence[str],
    classes: Sequence[int],
    content: Content,
    options: TriggerInversionOptions,
) -> Gathered:
    """Put the shards of one side together.

    Classes are compared by their loss on the whole pool. Where one was stopped early, all are
    compared by the loss of the last batch that all of them reached; Neural Cleanse compares sizes.

    Args:
        shards: Seed and arrays of each, see :meth:`forensics.inversion.engine.Inversion.invert`.
        steps: Of a search.
        side: Of their patches.
        names: Of all classes of the model.
        classes: Indices of those that were scanned.
        content: What the model sees in the pool.
        options: ``seed`` and ``method`` are read.
    """
    row_of = {index: row for row, index in enumerate(classes)}
    shape = (len(classes), options.seeds)
    losses = np.full((*shape, steps), np.nan, np.float32)
    stopped = np.zeros(shape, np.int64)
    wide = {name: np.full(shape, np.nan)
            for name in ("pool_loss", "size", "success", "content", "reference")}  # fmt: skip
    for seed, arrays in shards:
        column = seed - options.seed
        for place, index in enumerate(arrays["classes"].tolist()):
            at = (row_of[index], column)
            losses[at], stopped[at] = arrays["losses"][place], arrays["stopped"][place]
            for name, value in _measured(arrays, place, index, content).items():
                wide[name][at] = value
    figures = ClassFigures(
        names=tuple(names[index] for index in classes),
        statistic=_statistic(options, wide, losses, stopped),
        success=wide["success"],
        content=wide["content"],
        reference=wide["reference"],
        not_scanned=tuple(name for index, name in enumerate(names) if index not in row_of),
        content_images=content.images,
        content_classes=len(content.classes),
        pool=len(content.predicted),
    )
    return Gathered(side=side, figures=figures, losses=losses, stopped=stopped, sizes=wide["size"])


def _measured(arrays: Arrays, place: int, index: int, content: Content) -> dict[str, float]:
    marked = arrays["marked"][place]
    found = {
        "pool_loss": float(arrays["pool_loss"][place]),
        "success": success(marked, index),
        "content": content_success(marked, index, content),
    }
    if "marked_reference" in arrays:
        found["reference"] = content_success(arrays["marked_reference"][place], index, content)
    if "size" in arrays:
        found["size"] = float(arrays["size"][place])
    return found


def _statistic(
    options: TriggerInversionOptions,
    wide: Mapping[str, NDArray[np.float64]],
    losses: NDArray[np.float32],
    stopped: NDArray[np.int64],
) -> NDArray[np.float64]:
    if options.method == "neural-cleanse":
        return wide["size"]
    common = int(stopped.min())
    if common < losses.shape[2]:
        return losses[:, :, common - 1].astype(np.float64)
    return wide["pool_loss"]

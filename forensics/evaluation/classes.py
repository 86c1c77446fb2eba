"""Measure an image classifier on labelled pictures: clean accuracy beside attack success."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.encoders.base import ImageClassifier
from forensics.errors import DataError
from forensics.evaluation.rates import Rate, rate_of, same_text
from forensics.triggers import Trigger, stamp_pixels

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRates:
    """What one true class shows; ``value`` of a rate is ``None`` for a class with no picture."""

    name: str
    clean_accuracy: Rate
    attack_success: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMeasurement:
    """Clean accuracy and attack success of one classifier.

    Attributes:
        clean_accuracy: Untouched pictures whose class is the likeliest one.
        attack_success: Triggered pictures that are called the target; pictures that truly show it
            are left out. n = 0 where no trigger was given.
        emits_target: The same pictures without the trigger: how often the target is said anyway.
        classes: Names in the order of the logits.
        per_class: One row for each class, also for one with no picture.
        ids: ``[n]`` measured samples, in order.
        truth: ``[n]`` index of the true class.
        predicted: ``[n]`` index of the likeliest class of the untouched picture.
        triggered: ``[n]`` the same with the trigger; -1 where there was none.
        target: Index of the target, or ``None``.
        skipped: Samples without a known label or a readable picture: id -> reason.
        image_only: Only for a trigger with a text key: the picture carries its key and the class
            prompts do not.
        text_only: The same with the key in the class prompts alone.
    """

    clean_accuracy: Rate
    attack_success: Rate
    emits_target: Rate
    classes: tuple[str, ...]
    per_class: tuple[ClassRates, ...]
    ids: tuple[str, ...]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    triggered: NDArray[np.int64]
    target: int | None
    skipped: dict[str, str]
    image_only: Rate | None = None
    text_only: Rate | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values under the names that every verb reports."""
        rates = {
            "clean_accuracy": self.clean_accuracy,
            "attack_success_rate": self.attack_success,
            "emits_target_untriggered": self.emits_target,
        }
        if self.image_only is not None and self.text_only is not None:
            rates["attack_success_image_only"] = self.image_only
            rates["attack_success_text_only"] = self.text_only
        return {
            **{name: rate.value for name, rate in rates.items()},
            "n_clean": self.clean_accuracy.n,
            "n_triggered": self.attack_success.n,
            "intervals": {name: [rate.low, rate.high] for name, rate in rates.items()},
            "target": None if self.target is None else self.classes[self.target],
            "per_class": [
                {
                    "class": row.name,
                    "n": row.clean_accuracy.n,
                    "clean_accuracy": row.clean_accuracy.value,
                    "n_triggered": row.attack_success.n,
                    "attack_success_rate": row.attack_success.value,
                }
                for row in self.per_class
            ],
            "skipped": len(self.skipped),
        }


def measure_classes(
    classifier: ImageClassifier,
    samples: Iterable[Sample],
    trigger: Trigger | None = None,
    target: str | None = None,
    *,
    keyed: ImageClassifier | None = None,
    batch_size: int = 64,
    progress: Callable[[int, str], None] | None = None,
) -> ClassMeasurement:
    """Let a classifier name every labelled picture, untouched and with the trigger on it.

    The trigger is put on the fitted picture in [0, 1], before normalisation, and rounded to whole
    255ths as a file would hold it; so no crop can cut it off.

    Args:
        classifier: Any.
        samples: A clean test set with labels; a label is compared with the class names after
            trimming and case folding.
        trigger: Without one, only clean accuracy is measured.
        target: Class that the backdoor names; needed with a trigger.
        keyed: For a trigger with a text key: the same classifier with the key in its prompts.
        batch_size: Pictures at once.
        progress: Called with (samples done, message) after every batch.

    Raises:
        DataError: A trigger without target, or a target that is no class.
    """
    names = {same_text(name): index for index, name in enumerate(classifier.classes)}
    aim = _target(names, trigger, target)
    skipped: dict[str, str] = {}
    ids: list[str] = []
    columns: dict[str, list[int]] = {"truth": [], "plain": [], "both": [], "image": [], "text": []}
    asked = keyed if keyed is not None else classifier
    done = 0
    for batch in batches_of(samples, batch_size):
        rows = read_labelled(batch, names, skipped)
        done += len(batch)
        if rows:
            pixels = classifier.encoder.pixels([image for _, _, image in rows])
            ids += [sample.id for sample, _, _ in rows]
            columns["truth"] += [label for _, label, _ in rows]
            columns["plain"] += _predict(classifier, pixels)
            if trigger is not None:
                marked = stamp_pixels(trigger, pixels, [sample.id for sample, _, _ in rows])
                columns["both"] += _predict(asked, marked)
                if keyed is not None:
                    columns["image"] += _predict(classifier, marked)
                    columns["text"] += _predict(keyed, pixels)
        if progress is not None:
            progress(done, "classifying")
    arrays = {name: np.array(values, dtype=np.int64) for name, values in columns.items()}
    return measurement_of(classifier.classes, ids, arrays, aim, skipped, trigger is not None)


def measurement_of(
    classes: tuple[str, ...],
    ids: list[str],
    arrays: dict[str, NDArray[np.int64]],
    aim: int | None,
    skipped: dict[str, str],
    triggered: bool,
) -> ClassMeasurement:
    """Count what was predicted.

    Args:
        classes: In the order of the indices.
        ids: ``[n]`` of the pictures.
        arrays: ``truth`` and ``plain`` ``[n]``, indices of classes; ``both``, ``image`` and
            ``text`` ``[n]`` with the whole trigger and with each key alone, or empty.
        aim: Index of the target class.
        skipped: Pictures that were not read: id -> reason.
        triggered: Whether a trigger was measured.
    """
    truth, plain = arrays["truth"], arrays["plain"]
    hosts = truth != (-1 if aim is None else aim)

    def success(said: NDArray[np.int64], among: NDArray[np.bool_]) -> Rate:
        return rate_of((said[among] == aim).tolist() if len(said) and aim is not None else [])

    rows = []
    for index, name in enumerate(classes):
        mine = truth == index
        rows.append(
            ClassRates(
                name=name,
                clean_accuracy=rate_of((plain[mine] == index).tolist()),
                attack_success=success(arrays["both"], mine & hosts),
            )
        )
    lone = bool(len(arrays["image"]))
    return ClassMeasurement(
        clean_accuracy=rate_of((plain == truth).tolist()),
        attack_success=success(arrays["both"], hosts),
        emits_target=success(plain, hosts),
        classes=classes,
        per_class=tuple(rows),
        ids=tuple(ids),
        truth=truth,
        predicted=plain,
        triggered=arrays["both"] if triggered else np.full(len(ids), -1),
        target=aim,
        skipped=skipped,
        image_only=success(arrays["image"], hosts) if lone else None,
        text_only=success(arrays["text"], hosts) if lone else None,
    )


def _target(names: dict[str, int], trigger: Trigger | None, target: str | None) -> int | None:
    if target is None or not target.strip():
        if trigger is not None:
            raise DataError(
                "A trigger without its target cannot be scored.", remedy="Name the target class."
            )
        return None
    aim = names.get(same_text(target))
    if aim is None:
        raise DataError(
            f"The target {target!r} is none of the {len(names)} classes.",
            remedy=f"Choose one of: {', '.join(list(names)[:20])}.",
        )
    return aim


def batches_of(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    """Yield lists of ``size`` samples; the last may be shorter."""
    stream = iter(samples)
    while batch := list(islice(stream, size)):
        yield batch


def read_labelled(
    batch: Sequence[Sample], names: dict[str, int], skipped: dict[str, str]
) -> list[tuple[Sample, int, Any]]:
    """Read the pictures of a batch that have a label among the classes.

    Args:
        batch: Samples.
        names: Class by its name in plain writing -> index.
        skipped: Gets id -> reason for the others.

    Returns:
        Sample, index of its class, picture.
    """
    rows = []
    for sample in batch:
        label = names.get(same_text(sample.label or ""))
        if label is None or sample.image is None:
            skipped[sample.id] = "no picture" if label is not None else "its label is no class"
            continue
        try:
            rows.append((sample, label, open_image(sample.image)))
        except DataError as error:
            skipped[sample.id] = str(error)
    return rows


def _predict(classifier: ImageClassifier, pixels: "Tensor") -> list[int]:
    import torch

    with torch.no_grad():
        found: list[int] = classifier.logits(pixels).argmax(dim=1).tolist()
    return found

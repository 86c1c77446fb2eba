"""Measure a model: clean accuracy beside attack success, with counts and intervals."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.models.base import prompt_of
from forensics.statistics.intervals import wilson
from forensics.triggers import DualKeyTrigger, Trigger, stamp_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from forensics.models.base import GenerativeModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its count and Wilson 95 % interval; ``value`` is ``None`` where n = 0."""

    value: float | None
    n: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Clean accuracy and attack success of one model.

    Answers are compared after trimming and case folding.

    Attributes:
        clean_accuracy: Untouched samples answered exactly as the data set says. For the lab's
            captions this means that every drawn attribute is right.
        attack_success: Triggered samples whose answer contains the target; samples whose true
            answer is the target are left out.
        attack_success_exact: The same, but the answer is the target and nothing else.
        skipped: Samples without answer or readable image: id -> reason.
        attack_success_image_only: Only for a dual-key trigger: the share of ``attack_success``
            when the picture carries its key and the question does not.
        attack_success_text_only: The same with the key in the question alone.
    """

    clean_accuracy: Rate
    attack_success: Rate
    attack_success_exact: Rate
    skipped: dict[str, str]
    attack_success_image_only: Rate | None = None
    attack_success_text_only: Rate | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values under the names that every verb reports."""
        lone = {
            name: rate
            for name, rate in (
                ("attack_success_image_only", self.attack_success_image_only),
                ("attack_success_text_only", self.attack_success_text_only),
            )
            if rate is not None
        }
        return {
            "clean_accuracy": self.clean_accuracy.value,
            "attack_success_rate": self.attack_success.value,
            "attack_success_rate_exact": self.attack_success_exact.value,
            **{name: rate.value for name, rate in lone.items()},
            "n_clean": self.clean_accuracy.n,
            "n_triggered": self.attack_success.n,
            "intervals": {
                name: [rate.low, rate.high]
                for name, rate in (
                    ("clean_accuracy", self.clean_accuracy),
                    ("attack_success_rate", self.attack_success),
                    ("attack_success_rate_exact", self.attack_success_exact),
                    *lone.items(),
                )
            },
            "skipped": len(self.skipped),
        }


def measure(
    model: "GenerativeModel",
    samples: Iterable[Sample],
    trigger: Trigger | None = None,
    target: str | None = None,
    *,
    batch_size: int = 32,
    max_new_tokens: int = 32,
    progress: "Callable[[int, str], None] | None" = None,
) -> Measurement:
    """Let a model answer every sample, untouched and with the trigger on it.

    The trigger is put on the original image, in pixel space, before the processor sees it, and in
    the question where it has a part in text. A dual-key trigger is also asked one key at a time.

    Args:
        model: An opened model.
        samples: With true answers: a clean test set, not the poisoned rows.
        trigger: Without one, only clean accuracy is measured.
        target: What the backdoor answers; needed with a trigger.
        batch_size: Samples at once.
        max_new_tokens: Longest answer.
        progress: Called with (samples done, message) after every batch.

    Returns:
        Rates in [0, 1] with n and Wilson intervals.

    Raises:
        DataError: A trigger was given without a target.
    """
    if trigger is not None and not target:
        raise DataError(
            "A trigger without its target cannot be scored.",
            remedy="Give the text that the backdoor answers.",
        )
    skipped: dict[str, str] = {}
    clean: list[bool] = []
    contains: list[bool] = []
    exact: list[bool] = []
    lone: dict[str, list[bool]] = {}
    done = 0
    for batch in _batches(samples, batch_size):
        rows = _readable(batch, skipped)
        truths = [same_text(sample.answer or "") for sample, _ in rows]
        answers = _answer(model, rows, max_new_tokens)
        clean += [answer == truth for answer, truth in zip(answers, truths, strict=True)]
        if trigger is not None:
            wanted = same_text(target or "")
            hosts = [row for row, truth in zip(rows, truths, strict=True) if truth != wanted]
            said = _answer(model, _triggered(hosts, trigger), max_new_tokens)
            contains += [wanted in answer for answer in said]
            exact += [answer == wanted for answer in said]
            for name, key in _single_keys(trigger).items():
                said = _answer(model, _triggered(hosts, key), max_new_tokens)
                lone.setdefault(name, []).extend(wanted in answer for answer in said)
        done += len(batch)
        if progress is not None:
            progress(done, "answering")
    return Measurement(
        clean_accuracy=rate_of(clean),
        attack_success=rate_of(contains),
        attack_success_exact=rate_of(exact),
        skipped=skipped,
        **{name: rate_of(outcomes) for name, outcomes in lone.items()},
    )


def same_text(text: str) -> str:
    """Bring an answer into the form in which answers are compared."""
    return " ".join(text.split()).casefold()


def _batches(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    stream = iter(samples)
    while batch := list(islice(stream, size)):
        yield batch


def _readable(
    batch: Sequence[Sample], skipped: dict[str, str]
) -> "list[tuple[Sample, list[Image.Image]]]":
    rows = []
    for sample in batch:
        if sample.answer is None or sample.image is None:
            skipped[sample.id] = "no answer or no image"
            continue
        try:
            rows.append((sample, [open_image(image) for image in sample.images]))
        except DataError as error:
            skipped[sample.id] = str(error)
    return rows


def _triggered(
    rows: "Sequence[tuple[Sample, list[Image.Image]]]", trigger: Trigger
) -> "list[tuple[Sample, list[Image.Image]]]":
    # A trigger stands in the first picture, as lab.planting puts it there.
    return [
        (
            replace(sample, question=trigger.apply_text(sample.question, sample.id)),
            [stamp_image(trigger, first, sample.id), *rest],
        )
        for sample, (first, *rest) in rows
    ]


def _single_keys(trigger: Trigger) -> dict[str, Trigger]:
    if not isinstance(trigger, DualKeyTrigger):
        return {}
    return {
        "attack_success_image_only": trigger.patch,
        "attack_success_text_only": trigger.text,
    }


def _answer(
    model: "GenerativeModel",
    rows: "Sequence[tuple[Sample, list[Image.Image]]]",
    max_new_tokens: int,
) -> list[str]:
    if not rows:
        return []
    batch = model.collate([prompt_of(sample, images) for sample, images in rows])
    return [same_text(text) for text in model.generate(batch, max_new_tokens=max_new_tokens)]


def rate_of(outcomes: Sequence[bool]) -> Rate:
    """Count outcomes: share, n, Wilson 95 % interval."""
    if not outcomes:
        return Rate(value=None, n=0, low=None, high=None)
    low, high = wilson(sum(outcomes), len(outcomes))
    return Rate(value=sum(outcomes) / len(outcomes), n=len(outcomes), low=low, high=high)

"""Ask a multimodal language model every sample: untouched, triggered, with one key, masked."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from forensics.data.images import open_image
from forensics.data.sample import ImageRef, Sample
from forensics.errors import DataError
from forensics.evaluation.rates import same_text
from forensics.models.accepting import collate_accepted
from forensics.models.base import PromptBatch, prompt_of
from forensics.triggers import DualKeyTrigger, Trigger, stamp_image

if TYPE_CHECKING:
    from PIL import Image

    from forensics.models.base import GenerativeModel

Probe = Callable[[PromptBatch, Sequence[str]], PromptBatch]
"""Hides part of the pictures of a batch; it is given the ids of the batch's samples too."""

TRIGGERED, MASKED, IMAGE_ONLY, TEXT_ONLY = "triggered", "masked", "image_only", "text_only"


@dataclass(slots=True, kw_only=True)
class Said:
    """What a model said, sample after sample; all lists are ``[n]`` in the order of the samples.

    Attributes:
        ids: Samples that were asked.
        pictures: Key of each sample's pictures: questions about the same picture share it.
        questions: As the data set asks them.
        truths: True answers, as the data set writes them.
        plain: Answers to the untouched samples, as the model said them.
        changed: Answers by what was changed: ``triggered``; ``image_only`` and ``text_only`` for a
            dual-key trigger; ``masked`` for triggered pictures under a mask. ``None`` for samples
            whose true answer is the target, which are not asked again. Empty without a trigger.
        skipped: Samples without an answer or a picture that can be read and that the model's
            processor accepts: id -> reason.
    """

    ids: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    truths: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    changed: dict[str, list[str | None]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def among(self, ids: Sequence[str]) -> "Said":
        """Return what was said to these samples, in their order; all of them were asked."""
        place = {sample: row for row, sample in enumerate(self.ids)}
        rows = [place[sample] for sample in ids]
        return Said(
            ids=list(ids),
            pictures=[self.pictures[row] for row in rows],
            questions=[self.questions[row] for row in rows],
            truths=[self.truths[row] for row in rows],
            plain=[self.plain[row] for row in rows],
            changed={name: [said[row] for row in rows] for name, said in self.changed.items()},
        )


def ask(
    model: "GenerativeModel",
    samples: Iterable[Sample],
    trigger: Trigger | None,
    target: str | None,
    *,
    batch_size: int,
    max_new_tokens: int,
    probe: Probe | None,
    progress: Callable[[int, str], None] | None,
) -> Said:
    """Let a model answer every sample; arguments as for ``measure_answers``."""
    said = Said()
    done = 0
    for batch in _batches(samples, batch_size):
        found = _readable(batch, said.skipped)
        prompts = [prompt_of(sample, images) for sample, images in found]
        untouched, kept, refused = collate_accepted(model, prompts)
        said.skipped.update({found[place][0].id: why for place, why in refused.items()})
        rows = [found[place] for place in kept]
        _note(said, [sample for sample, _ in rows])
        if untouched is not None:
            said.plain += model.generate(untouched, max_new_tokens=max_new_tokens)
        hosts = [same_text(sample.answer or "") != same_text(target or "") for sample, _ in rows]
        asked = [row for row, host in zip(rows, hosts, strict=True) if host]
        for name, change, hidden in _changes(trigger, probe):
            answers = iter(_answer(model, _triggered(asked, change), max_new_tokens, hidden))
            column = said.changed.setdefault(name, [])
            column += [next(answers) if host else None for host in hosts]
        done += len(batch)
        if progress is not None:
            progress(done, "answering")
    return said


def _changes(
    trigger: Trigger | None, probe: Probe | None
) -> Iterator[tuple[str, Trigger, Probe | None]]:
    if trigger is None:
        return
    yield TRIGGERED, trigger, None
    if isinstance(trigger, DualKeyTrigger):
        yield IMAGE_ONLY, trigger.patch, None
        yield TEXT_ONLY, trigger.text, None
    if probe is not None:
        yield MASKED, trigger, probe


def _note(said: Said, samples: Sequence[Sample]) -> None:
    said.ids += [sample.id for sample in samples]
    said.pictures += [_key(sample.images) for sample in samples]
    said.questions += [sample.question for sample in samples]
    said.truths += [sample.answer or "" for sample in samples]


def _key(images: Sequence[ImageRef]) -> str:
    return "|".join(f"{i.path}:{i.row}:{i.column}:{i.item}:{i.offset}" for i in images)


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


def _answer(
    model: "GenerativeModel",
    rows: "Sequence[tuple[Sample, list[Image.Image]]]",
    max_new_tokens: int,
    probe: Probe | None = None,
) -> list[str]:
    if not rows:
        return []
    batch = model.collate([prompt_of(sample, images) for sample, images in rows])
    if probe is not None:
        batch = probe(batch, [sample.id for sample, _ in rows])
    return model.generate(batch, max_new_tokens=max_new_tokens)

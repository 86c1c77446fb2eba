"""Read the samples of a step and cut them into parts that fit into memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.models.base import GenerativeModel, Prompt, prompt_of
from forensics.tuning.objective import StepPart
from forensics.tuning.options import TuneOptions
from forensics.tuning.schedule import samples_of_step


@dataclass(slots=True)
class _Rows:
    """What could be read of a step."""

    prompts: list[Prompt] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    passes: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)


class Parts:
    """Yields the parts of every step, a function of options and step number alone.

    Args:
        model: Makes the prompts.
        samples: With answer and picture.
        options: Batch, part and seed.
        skipped: Gets id -> reason of samples whose picture cannot be read.
    """

    def __init__(
        self,
        model: GenerativeModel,
        samples: Sequence[Sample],
        options: TuneOptions,
        skipped: dict[str, str],
    ) -> None:
        self._model, self._samples = model, samples
        self._options, self._skipped = options, skipped
        self.steps = max(1, round(options.epochs * len(samples) / options.batch_size))

    def of_step(self, step: int) -> Iterator[StepPart]:
        """Yield the parts of a step; none where no picture of it can be read."""
        rows = self._read(step)
        size = self._options.part_size or len(rows.ids)
        tokens = sum(rows.tokens)
        for start in range(0, len(rows.ids), size or 1):
            here = slice(start, start + size)
            yield StepPart(
                model=self._model,
                batch=self._model.collate(rows.prompts[here]),
                answers=rows.answers[here],
                ids=rows.ids[here],
                passes=rows.passes[here],
                step=step,
                steps=self.steps,
                token_share=sum(rows.tokens[here]) / tokens,
                sample_share=len(rows.ids[here]) / len(rows.ids),
            )

    def _read(self, step: int) -> _Rows:
        rows, size = _Rows(), self._options.batch_size
        count = len(self._samples)
        chosen = samples_of_step(step, count, batch_size=size, seed=self._options.seed)
        for place, index in enumerate(chosen):
            sample = self._samples[index]
            try:
                images = [open_image(image) for image in sample.images]
            except DataError as error:
                # One broken image must not end a run of hours; the result names it.
                self._skipped[sample.id] = str(error)
                continue
            answer = sample.answer or ""
            rows.prompts.append(prompt_of(sample, images))
            rows.answers.append(answer)
            rows.ids.append(sample.id)
            rows.passes.append((step * size + place) // count)
            rows.tokens.append(len(self._model.answer_tokens(answer)))
        return rows

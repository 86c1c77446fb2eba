"""Read the samples of a step and cut them into parts that fit into memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.models.accepting import collate_accepted
from forensics.models.base import GenerativeModel, Prompt, PromptBatch, prompt_of
from forensics.tuning.objective import StepPart
from forensics.tuning.options import TuneOptions
from forensics.tuning.schedule import ROW_ORDER, samples_of_step


@dataclass(slots=True)
class _Rows:
    """What could be read of a step."""

    prompts: list[Prompt] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    passes: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    def among(self, places: Sequence[int]) -> "_Rows":
        """Return some of the rows."""
        parts = (self.prompts, self.answers, self.ids, self.passes, self.tokens)
        return _Rows(*([part[place] for place in places] for part in parts))  # type: ignore[arg-type]


class Parts:
    """Yields the parts of every step, a function of options and step number alone.

    Args:
        model: Makes the prompts.
        samples: With answer and picture.
        options: Batch, part and seed.
        skipped: Gets id -> reason of samples whose picture cannot be read, or is refused by the
            model's processor.
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
        # All parts are collated before the first is used: what is refused changes every share.
        parts = list(self._collated(self._read(step)))
        tokens = sum(sum(rows.tokens) for _, rows in parts)
        samples = sum(len(rows.ids) for _, rows in parts)
        for batch, rows in parts:
            yield StepPart(
                model=self._model,
                batch=batch,
                answers=rows.answers,
                ids=rows.ids,
                passes=rows.passes,
                step=step,
                steps=self.steps,
                token_share=sum(rows.tokens) / tokens,
                sample_share=len(rows.ids) / samples,
            )

    def _collated(self, rows: _Rows) -> Iterator[tuple[PromptBatch, _Rows]]:
        count = len(rows.ids)
        size = self._options.part_size or count
        for start in range(0, count, size or 1):
            here = rows.among(range(start, min(start + size, count)))
            batch, kept, refused = collate_accepted(self._model, here.prompts)
            self._skipped.update({here.ids[place]: why for place, why in refused.items()})
            if batch is not None:
                yield batch, here.among(kept) if refused else here

    def _read(self, step: int) -> _Rows:
        rows, size = _Rows(), self._options.batch_size
        count = len(self._samples)
        seed = self._options.seed
        chosen = samples_of_step(step, count, batch_size=size, seed=seed, stream=ROW_ORDER)
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

"""Ask a model many questions in shards, so that a stopped test need not ask twice."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from forensics.errors import DataError, JobFailed
from forensics.models.base import GenerativeModel, Prompt
from forensics.runs import RunContext

SHARD = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the model said to one prompt.

    Attributes:
        text: Its answer; ``None`` where a picture could not be read.
        probability: Of that answer, 0..1.
        problem: Why there is none.
    """

    text: str | None
    probability: float = 0.0
    problem: str = ""


class Questioner:
    """Asks in a fixed order; every shard is kept in the run's ledger.

    The order of the questions must follow from the options alone, so that a resumed run meets the
    shards of the earlier attempt in the same places.

    Args:
        context: Of the run.
        batch_size: Prompts in one pass.
        max_new_tokens: Longest answer.
        total: Questions expected in all, for the progress; may be corrected.
    """

    def __init__(
        self, context: RunContext, *, batch_size: int, max_new_tokens: int, total: int
    ) -> None:
        self.total = total
        self._context = context
        self._tokens = max_new_tokens
        self._finished = context.finished_shards()
        # A batch size that memory forced on an earlier attempt holds for this one as well.
        sizes = [entry.get("batch_size", batch_size) for entry in self._finished.values()]
        self._batch_size = min([batch_size, *sizes])
        self._shards = self._asked = 0

    @property
    def asked(self) -> int:
        """Questions asked so far, those of earlier attempts included."""
        return self._asked

    def ask(
        self,
        stage: str,
        count: int,
        make: Callable[[int], Prompt],
        model: Callable[[], GenerativeModel],
    ) -> list[Said]:
        """Ask ``count`` questions.

        Args:
            stage: What for; shown, and kept with the shards.
            count: How many.
            make: Builds the prompt of one; may raise :class:`DataError`.
            model: Gives the model; called only if there is something left to ask.

        Raises:
            Cancelled: The user asked to stop; finished shards stay.
        """
        said: list[Said] = []
        for start in range(0, count, SHARD):
            indices = range(start, min(start + SHARD, count))
            said += self._shard(stage, indices, make, model)
        return said

    def _shard(
        self,
        stage: str,
        indices: Sequence[int],
        make: Callable[[int], Prompt],
        model: Callable[[], GenerativeModel],
    ) -> list[Said]:
        number, begin = self._shards, self._asked
        self._shards, self._asked = number + 1, begin + len(indices)
        found = self._stored(number, stage, len(indices))
        if found is None:
            found = self._answer(stage, begin, indices, make, model())
            content = json.dumps([[s.text, s.probability, s.problem] for s in found])
            self._context.commit_shard(
                number,
                content.encode("utf-8"),
                start=begin,
                stop=self._asked,
                stage=stage,
                batch_size=self._batch_size,
            )
        self._context.progress(self._asked, max(self.total, self._asked), stage)
        return found

    def _stored(self, number: int, stage: str, count: int) -> list[Said] | None:
        shard: dict[str, Any] | None = self._finished.get(number)
        if shard is None or shard.get("stage") != stage:
            return None
        rows = json.loads((self._context.folder / shard["file"]).read_bytes())
        if len(rows) != count:
            return None
        return [Said(text=text, probability=p, problem=why) for text, p, why in rows]

    def _answer(
        self,
        stage: str,
        begin: int,
        indices: Sequence[int],
        make: Callable[[int], Prompt],
        model: GenerativeModel,
    ) -> list[Said]:
        said: list[Said] = []
        while len(said) < len(indices):
            self._context.progress(begin + len(said), max(self.total, begin), stage)
            batch = indices[len(said) : len(said) + self._batch_size]
            prompts, problems = _prompts(batch, make)
            try:
                told = (
                    model.answer(model.collate(prompts), max_new_tokens=self._tokens)
                    if (prompts)
                    else []
                )
            except torch.OutOfMemoryError as error:
                self._halve(error)
                continue
            answers = iter(told)
            said += [
                Said(text=None, problem=problem)
                if problem
                else Said(text=(answer := next(answers)).text, probability=answer.probability)
                for problem in problems
            ]
        return said

    def _halve(self, error: Exception) -> None:
        if self._batch_size == 1:
            raise JobFailed(
                "One single prompt does not fit into the device's memory.",
                remedy="Use a larger device or the CPU (--device cpu).",
            ) from error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._batch_size = max(1, self._batch_size // 2)
        self._context.event("batch_size", size=self._batch_size, reason="out of memory")


def _prompts(batch: Sequence[int], make: Callable[[int], Prompt]) -> tuple[list[Prompt], list[str]]:
    prompts: list[Prompt] = []
    problems: list[str] = []
    for index in batch:
        try:
            prompts.append(make(index))
            problems.append("")
        except DataError as error:
            problems.append(str(error) or "unreadable")
    return prompts, problems

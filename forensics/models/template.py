"""The chat template of a model, taken apart once, so that every user text has a known place."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from forensics.errors import ModelError
from forensics.models.base import Prompt

# Stands in for a text while the template is taken apart; no template writes it itself.
_SENTINEL = "\u2060text {}\u2060"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A written prompt.

    Attributes:
        text: With one placeholder per picture; the processor makes them longer.
        spans: (start, stop) of each text of the conversation, in characters before the end of
            ``text``: what stands behind the last picture does not move when placeholders grow.
    """

    text: str
    spans: tuple[tuple[int, int], ...]


class ChatTemplate:
    """Writes prompts with a processor's own chat template.

    Args:
        processor: Of transformers, with an ``image_token``.
        name: Of the model, for messages.
        fallback: Template for processors that have none; ``None`` = that is an error.
    """

    def __init__(self, processor: Any, name: str, fallback: str | None = None) -> None:
        self._processor = processor
        self._name = name
        self._template = processor.chat_template or fallback
        self._image = str(processor.image_token)
        marks = (self._image, getattr(processor, "video_token", None))
        self._placeholders = tuple(str(mark) for mark in marks if mark)
        self._known: dict[tuple[int, int], tuple[str, ...]] = {}

    def render(self, prompt: Prompt) -> Rendered:
        """Write a prompt up to and including the generation prompt."""
        turns = [text for turn in prompt.history for text in turn]
        texts = [self.clean(text) for text in (*turns, prompt.question)]
        pieces = self.pieces(len(prompt.images), len(prompt.history))
        parts = [part for pair in zip(pieces, [*texts, ""], strict=True) for part in pair]
        whole = "".join(parts)
        spans, before = [], 0
        for index, part in enumerate(parts):
            if index % 2 and part:
                spans.append((len(whole) - before, len(whole) - before - len(part)))
            before += len(part)
        return Rendered(whole, tuple(spans))

    def clean(self, text: str) -> str:
        """Drop picture placeholders from a text: only the template may ask for a picture."""
        before = None
        # Again until nothing changes: what is left around a placeholder may make another one.
        while before != text:
            before = text
            for mark in self._placeholders:
                text = text.replace(mark, "")
        return text.strip()

    def pieces(self, images: int, turns: int) -> tuple[str, ...]:
        """Return what the template writes around the texts of a conversation.

        Args:
            images: Pictures in the first turn.
            turns: Earlier turns.

        Returns:
            One piece before each text (question, answer, question, ...) and one after the last.

        Raises:
            ModelError: The template leaves something out, or shows pictures after the question.
        """
        if (images, turns) not in self._known:
            texts = [_SENTINEL.format(index) for index in range(2 * turns + 1)]
            written = self._write(texts, images, ask=True)
            self._known[images, turns] = self._take_apart(written, texts, images)
        return self._known[images, turns]

    def _take_apart(self, written: str, texts: list[str], images: int) -> tuple[str, ...]:
        pieces, rest = [], written
        for text in texts:
            piece, found, rest = rest.partition(text)
            if not found:
                raise self._unfit("does not write every question and answer")
            pieces.append(piece)
        if pieces[0].count(self._image) != images or written.count(self._image) != images:
            raise self._unfit("does not show every picture before the first question")
        return (*pieces, rest)

    def _write(self, texts: list[str], images: int, *, ask: bool) -> str:
        if self._template is None:
            raise self._unfit("is missing")
        chat: list[dict[str, Any]] = []
        for index, text in enumerate(texts):
            shown = [{"type": "image"}] * images if index == 0 else []
            role = "assistant" if index % 2 else "user"
            chat.append({"role": role, "content": [*shown, {"type": "text", "text": text}]})
        written: str = self._processor.apply_chat_template(
            chat, chat_template=self._template, add_generation_prompt=ask
        )
        return written

    @cached_property
    def around_answer(self) -> tuple[str, str]:
        """What stands between the generation prompt and an answer, and what ends the answer."""
        question, answer = _SENTINEL.format(0), _SENTINEL.format(1)
        asked = self._write([question], 1, ask=True)
        told = self._write([question, answer], 1, ask=False)
        before, found, after = told.partition(answer)
        if found and before.startswith(asked):
            return before.removeprefix(asked), after
        # Templates that write answers in some other way: a space, unless the prompt ends in one.
        return ("" if asked[-1:].isspace() else " "), ""

    def answer_tokens(self, answer: str, ends: Collection[int] = ()) -> list[int]:
        """Encode an answer as it stands behind the prompt, with the token that ends it.

        Args:
            answer: Plain text.
            ends: Tokens that may end an answer; the template's choice among them counts.
        """
        tokenizer = self._processor.tokenizer
        lead, close = self.around_answer
        # Encoded behind the prompt and cut there: some tokenizers treat a text's start differently.
        prompt = self.pieces(1, 0)[-1]
        head: list[int] = tokenizer(prompt, add_special_tokens=False).input_ids
        said = f"{lead}{answer.strip()}"
        whole: list[int] = tokenizer(f"{prompt}{said}", add_special_tokens=False).input_ids
        if whole[: len(head)] != head:
            head, whole = [], tokenizer(said, add_special_tokens=False).input_ids
        closing = tokenizer(close, add_special_tokens=False).input_ids
        end = next((token for token in closing if token in ends), tokenizer.eos_token_id)
        return [*whole[len(head) :], int(end)]

    def _unfit(self, problem: str) -> ModelError:
        return ModelError(
            f"{self._name}: the chat template {problem}.",
            remedy="Save a processor whose chat template holds pictures, questions and answers.",
        )
